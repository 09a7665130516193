#include "client/jobs/settled_job.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "cyberian/wire/listed_chunks.hpp"
#include "runtime/task_group.hpp"
#include "verify/receipt/receipt_fields.hpp"

namespace vembed::detail {
namespace {

using cyberian::endpoints;
using cyberian::output_report;

// The three fetches that run concurrently, and their results.
class parallel_fetch {
public:
    std::shared_ptr<endpoints> api;
    settled_query query;
    std::string receipt_id;
    cyberian::rows_place* place = nullptr;
    std::vector<expected_chunk> chunks;
    monotonic_time deadline = no_deadline;
    runtime::task_group* group = nullptr;  // Set while fetch_all() runs.
    std::optional<result<output_report>> output;
    std::optional<result<receipt>> proof;
    std::optional<result<receipt_verification>> verification;
    std::optional<error> first_failure;

    parallel_fetch() = default;

    // If one fetch fails, the others are useless.
    void fail(const error& f) {
        if (!first_failure) {
            first_failure = f;
            group->cancel();
        }
    }
};

asio::awaitable<void> read_output(parallel_fetch* all) {
    // Hashing all bytes again is useful only if everything is checked; if there is a single chunk, it is the whole
    // output anyway.
    const bool hash_whole = all->query.level == verify_level::offline || all->chunks.size() == 1;
    std::vector<expected_chunk> chunks = all->chunks;
    std::string id = all->query.job_id;
    result<output_report> got = co_await all->api->output(std::move(id), all->query.rows, all->place, std::move(chunks),
                                                          hash_whole, all->deadline);
    all->output.emplace(std::move(got));
}

asio::awaitable<void> fetch_output(parallel_fetch* all) {
    co_await read_output(all);
    if (!*all->output) {
        all->fail(all->output->error());
    }
}

asio::awaitable<void> fetch_receipt(parallel_fetch* all) {
    std::string id = all->receipt_id;
    result<receipt> got = co_await all->api->get_receipt(std::move(id), all->deadline);
    all->proof.emplace(std::move(got));
    if (!*all->proof) {
        all->fail(all->proof->error());
    }
}

asio::awaitable<void> fetch_verification(parallel_fetch* all) {
    std::string id = all->receipt_id;
    result<receipt_verification> got = co_await all->api->verify_receipt(std::move(id), all->deadline);
    all->verification.emplace(std::move(got));
    if (!*all->verification) {
        all->fail(all->verification->error());
    }
}

error unverified(std::string what, const std::string& job_id, const std::string& receipt_id) {
    error f(errc::verification_failed, std::move(what));
    f.job_id = job_id;
    f.receipt_id = receipt_id;
    return f;
}

// The chunks are only hashed here; whether a commitment is a plain hash of the bytes is decided afterwards.
std::vector<expected_chunk> without_commitments(std::vector<expected_chunk> chunks) {
    for (expected_chunk& chunk : chunks) {
        chunk.commitment.reset();
    }
    return chunks;
}

result<void> check_receipt(const parallel_fetch& all) {
    const receipt& proof = **all.proof;
    const receipt_verification& word = **all.verification;
    // `vembed verify` makes the same check. Other content of the text does not prevent the delivery of the rows.
    const result<void> readable = verify::check_receipt_text(proof.raw_text);
    if (!readable) {
        return unverified("receipt_form: " + readable.error().message, all.query.job_id, all.receipt_id);
    }
    if (proof.job_id != all.query.job_id) {
        return unverified("receipt_job: the receipt is that of job " + proof.job_id.substr(0, 64), all.query.job_id,
                          all.receipt_id);
    }
    if (proof.receipt_id != all.receipt_id) {
        return unverified("receipt_id: the receipt carries another id", all.query.job_id, all.receipt_id);
    }
    if (!word.valid) {
        error f = unverified("the service says that the job's receipt is not valid; the output is withheld",
                             all.query.job_id, all.receipt_id);
        f.checks = word.checks;
        f.errors = word.errors;
        return f;
    }
    return {};
}

output_evidence seen_output(const parallel_fetch& all) {
    const output_report& report = **all.output;
    output_evidence seen;
    seen.rows = all.query.rows;  // Any other number was refused during reading.
    seen.dimensions = report.dimensions;
    seen.bytes = all.query.rows * report.dimensions * sizeof(float);
    seen.chunk_digests = report.chunk_digests;
    return seen;
}

offline_report check(const parallel_fetch& all, const job_results& results, const account_pins& pins) {
    const offline_evidence evidence = evidence_of(all.query, results, seen_output(all));
    return all.query.level == verify_level::offline ? verify_receipt_offline((*all.proof)->raw_text, evidence, pins)
                                                    : verify_output_offline(evidence, pins);
}

// Whether no chunk's commitment is reproduced by its bytes, and nothing says that it should be.
bool is_open(const offline_report& checks) {
    const offline_check* commitment = checks.find("output_commitment");
    return commitment->verdict == check_verdict::not_checkable && commitment->basis == check_basis::none;
}

// Reads the output again. If the bytes differ, they were damaged on the way; if they are equal, the service has these
// bytes.
asio::awaitable<result<void>> read_again(parallel_fetch* all) {
    const std::vector<digest> before = (*all->output)->chunk_digests;
    co_await read_output(all);
    if (!*all->output) {
        error f = all->output->error();
        f.job_id = all->query.job_id;
        co_return f;
    }
    if ((*all->output)->chunk_digests != before) {
        co_return unverified("output_commitment: two readings of the job's output differ", all->query.job_id,
                             all->receipt_id);
    }
    co_return result<void>();
}

std::uint64_t count_sampled(const job_results& results) {
    return static_cast<std::uint64_t>(
        std::count_if(results.chunks.begin(), results.chunks.end(),
                      [](const chunk_result& chunk) { return chunk.selected_for_verification; }));
}

// The results of a settled job tell the receipt's id.
result<std::string> receipt_id_of(const job_results& results) {
    if (!results.receipt_id || results.receipt_id->empty()) {
        error f(errc::not_found, "the settled job names no receipt");
        f.job_id = results.job_id;
        return f;
    }
    return *results.receipt_id;
}

// Fetches the output, the receipt and the service's verification of it concurrently.
asio::awaitable<result<void>> fetch_all(parallel_fetch* all, const job_results* results,
                                        std::shared_ptr<environment> env) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    runtime::task_group group(executor, std::move(env));
    all->group = &group;
    group.spawn(fetch_output(all));
    if (all->query.level >= verify_level::receipt) {
        const result<std::string> receipt_id = receipt_id_of(*results);
        if (receipt_id) {
            all->receipt_id = *receipt_id;
            group.spawn(fetch_receipt(all));
            group.spawn(fetch_verification(all));
        } else {
            all->fail(receipt_id.error());
        }
    }
    const bool undisturbed = co_await group.join();
    if (!undisturbed) {
        all->first_failure = error(errc::cancelled, "cancelled while the job's output was fetched");
    }
    if (all->first_failure) {
        all->first_failure->job_id = all->query.job_id;
        co_return *all->first_failure;
    }
    co_return result<void>();
}

void hand_over(const offline_report& checks, offline_report* to) {
    if (to != nullptr) {
        *to = checks;
    }
}

// Runs all checks that must pass before the rows may be delivered.
asio::awaitable<result<void>> check_all(parallel_fetch* all, const job_results* results,
                                        std::shared_ptr<account_pins> pins, offline_report* into) {
    *into = check(*all, *results, *pins);
    if (is_open(*into)) {
        const result<void> same = co_await read_again(all);
        if (!same) {
            co_return same.error();
        }
    }
    const result<void> good = judge(*into, all->query.job_id);
    if (!good) {
        co_return good.error();
    }
    // Other operations may have learned pins while this one read again.
    *pins = narrowed(*pins, into->pins);
    if (all->query.level >= verify_level::receipt) {
        co_return check_receipt(*all);
    }
    co_return result<void>();
}

}  // namespace

offline_evidence evidence_of(const settled_query& query, const job_results& results,
                             const std::optional<output_evidence>& output) {
    offline_evidence evidence;
    evidence.job_id = query.job_id;
    evidence.receipt_id = results.receipt_id.value_or("");
    evidence.model = query.model;
    evidence.rows = query.rows;
    evidence.dimensions = query.dimensions;
    evidence.results.emplace();
    evidence.results->job_id = results.job_id;
    evidence.results->receipt_id = results.receipt_id;
    evidence.results->chunks = cyberian::listed_chunks(results);
    evidence.output = output;
    if (query.inputs && query.level == verify_level::offline) {
        evidence.inputs.emplace();
        evidence.inputs->reserve(query.inputs->size());
        for (const std::string& text : *query.inputs) {
            evidence.inputs->emplace_back(text);
        }
    }
    return evidence;
}

result<void> judge(const offline_report& checks, const std::string& job_id) {
    const offline_check* bad = checks.first_failed();
    if (bad == nullptr) {
        return {};
    }
    std::string why = bad->name + ": " + bad->reason;
    if (bad->basis == check_basis::pinned) {
        why += " (earlier receipts of the account followed " + bad->basis_text().substr(sizeof("pinned:") - 1) + ")";
    }
    return unverified(std::move(why), job_id, "");
}

asio::awaitable<result<settled_job>> fetch_settled_job(std::shared_ptr<endpoints> api, std::shared_ptr<environment> env,
                                                       std::shared_ptr<account_pins> pins, settled_query query,
                                                       cyberian::rows_place* place, offline_report* checks,
                                                       monotonic_time deadline) {
    settled_job settled;
    parallel_fetch all;
    all.api = api;
    all.query = std::move(query);
    all.place = place;
    all.deadline = deadline;
    std::string id = all.query.job_id;
    result<job_results> results = co_await api->results(std::move(id), deadline);
    if (!results) {
        co_return results.error();
    }
    const bool checking = all.query.level != verify_level::none;
    if (checking) {
        // If the results are wrong already, the output is not needed.
        settled.checks = verify_output_offline(evidence_of(all.query, *results, std::nullopt), *pins);
        const result<void> good = judge(settled.checks, all.query.job_id);
        if (!good) {
            hand_over(settled.checks, checks);
            co_return good.error();
        }
        all.chunks = without_commitments(cyberian::listed_chunks(*results));
    }
    const result<void> fetched = co_await fetch_all(&all, &*results, env);
    if (!fetched) {
        co_return fetched.error();
    }
    if (checking) {
        const result<void> good = co_await check_all(&all, &*results, pins, &settled.checks);
        hand_over(settled.checks, checks);
        if (!good) {
            co_return good.error();
        }
    }
    if (all.query.level >= verify_level::receipt) {
        settled.receipt = std::move(**all.proof);
        settled.verification = std::move(**all.verification);
    }
    settled.dimensions = (*all.output)->dimensions;
    settled.output_sha256 = (*all.output)->whole;
    settled.chunks_sampled = count_sampled(*results);
    settled.results = std::move(*results);
    co_return settled;
}

}  // namespace vembed::detail
