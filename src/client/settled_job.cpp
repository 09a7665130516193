#include "client/settled_job.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "runtime/task_group.hpp"

namespace vembed::detail {
namespace {

using cyberian::endpoints;
using cyberian::output_report;

// The three fetches that run at once, and what came of each.
class parallel_fetch {
public:
    std::shared_ptr<endpoints> api;
    std::string job_id;
    std::string receipt_id;
    std::uint64_t rows = 0;
    cyberian::rows_place* place = nullptr;
    std::vector<expected_chunk> chunks;
    monotonic_time deadline = no_deadline;
    runtime::task_group* group = nullptr;
    std::optional<result<output_report>> output;
    std::optional<result<receipt>> proof;
    std::optional<result<receipt_verification>> verification;
    std::optional<failure> first_failure;

    parallel_fetch() = default;

    // One failure makes the others pointless.
    void fail(const failure& f) {
        if (!first_failure) {
            first_failure = f;
            group->cancel();
        }
    }
};

asio::awaitable<void> fetch_output(parallel_fetch* all) {
    std::vector<expected_chunk> chunks = std::move(all->chunks);
    std::string id = all->job_id;
    result<output_report> got =
        co_await all->api->output(std::move(id), all->rows, all->place, std::move(chunks), all->deadline);
    all->output.emplace(std::move(got));
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

failure unverified(std::string what, const std::string& job_id, const std::string& receipt_id) {
    failure f(errc::verification_failed, std::move(what));
    f.job_id = job_id;
    f.receipt_id = receipt_id;
    return f;
}

std::vector<expected_chunk> expected(const job_results& results) {
    std::vector<expected_chunk> chunks;
    chunks.reserve(results.chunks.size());
    for (const chunk_result& chunk : results.chunks) {
        // Without the commitment: whether it is a plain hash is judged afterwards.
        chunks.emplace_back(chunk.chunk_index, chunk.row_start, chunk.row_end, std::nullopt,
                            chunk.selected_for_verification);
    }
    return chunks;
}

result<void> check_receipt(const parallel_fetch& all) {
    const receipt& proof = **all.proof;
    const receipt_verification& word = **all.verification;
    if (proof.job_id != all.job_id) {
        return unverified("the receipt is that of job " + proof.job_id.substr(0, 64), all.job_id, all.receipt_id);
    }
    if (proof.receipt_id != all.receipt_id) {
        return unverified("the receipt carries another id", all.job_id, all.receipt_id);
    }
    if (!word.valid) {
        failure f = unverified("the service says that the job's receipt is not valid; the output is withheld",
                               all.job_id, all.receipt_id);
        f.checks = word.checks;
        f.errors = word.errors;
        return f;
    }
    return {};
}

// Nothing matched, and whether commitments are plain hashes is not known yet: bytes that differ from one reading to the
// next were damaged on the way, bytes that do not are what the service has.
asio::awaitable<result<commitment_check>> read_again(parallel_fetch* all, const job_results* results) {
    const std::vector<digest> before = std::move((*all->output)->chunk_digests);
    co_await fetch_output(all);
    if (!*all->output) {
        failure f = all->output->error();
        f.job_id = all->job_id;
        co_return f;
    }
    const commitment_check seen = compare_commitments(results->chunks, (*all->output)->chunk_digests);
    if (seen.matched == 0 && (*all->output)->chunk_digests != before) {
        co_return unverified("two readings of the job's output differ, and neither has the committed bytes",
                             all->job_id, all->receipt_id);
    }
    co_return seen;
}

// True where every chunk's bytes are the committed ones, false where that cannot be told.
asio::awaitable<result<bool>> check_output(parallel_fetch* all, const job_results* results,
                                           std::shared_ptr<commitment_pin> pin) {
    commitment_check seen = compare_commitments(results->chunks, (*all->output)->chunk_digests);
    if (seen.first_mismatch && seen.matched == 0 && !pin->sha256_of_bytes) {
        all->chunks = expected(*results);
        const result<commitment_check> again = co_await read_again(all, results);
        if (!again) {
            co_return again.error();
        }
        seen = *again;
    }
    co_return judge_commitments(seen, *pin, all->job_id);
}

std::uint64_t count_sampled(const job_results& results) {
    return static_cast<std::uint64_t>(
        std::count_if(results.chunks.begin(), results.chunks.end(),
                      [](const chunk_result& chunk) { return chunk.selected_for_verification; }));
}

// The receipt's id is known from the results once the job is settled.
result<std::string> receipt_id_of(const job_results& results) {
    if (!results.receipt_id || results.receipt_id->empty()) {
        failure f(errc::protocol, "the settled job names no receipt");
        f.job_id = results.job_id;
        return f;
    }
    return *results.receipt_id;
}

}  // namespace

commitment_check compare_commitments(const std::vector<chunk_result>& chunks, const std::vector<digest>& digests) {
    commitment_check seen;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const std::optional<std::string>& commitment = chunks[i].output_commitment;
        if (!commitment || i >= digests.size()) {
            ++seen.absent;
        } else if (digest_from_hex(*commitment) == digests[i]) {
            ++seen.matched;
        } else if (!seen.first_mismatch) {
            seen.first_mismatch = i;
        }
    }
    return seen;
}

result<bool> judge_commitments(const commitment_check& seen, commitment_pin& pin, const std::string& job_id) {
    pin.sha256_of_bytes = pin.sha256_of_bytes || seen.matched > 0;
    if (seen.first_mismatch && pin.sha256_of_bytes) {
        return unverified("the bytes of the job's chunk at position " + std::to_string(*seen.first_mismatch) +
                              " are not those of its output_commitment",
                          job_id, "");
    }
    return !seen.first_mismatch && seen.absent == 0;
}

asio::awaitable<result<settled_job>> fetch_settled_job(std::shared_ptr<endpoints> api, std::shared_ptr<environment> env,
                                                       std::shared_ptr<commitment_pin> pin, std::string job_id,
                                                       std::uint64_t rows, cyberian::rows_place* place,
                                                       verify_level level, monotonic_time deadline) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    result<job_results> results = co_await api->results(job_id, deadline);
    if (!results) {
        co_return results.error();
    }
    parallel_fetch all;
    all.api = api;
    all.job_id = job_id;
    all.rows = rows;
    all.place = place;
    all.deadline = deadline;
    if (level != verify_level::none) {
        all.chunks = expected(*results);
        const result<void> tiled = check_tiling(all.chunks, rows);
        if (!tiled) {
            co_return unverified(tiled.error().message, job_id, results->receipt_id.value_or(""));
        }
    }
    runtime::task_group group(executor, env);
    all.group = &group;
    group.spawn(fetch_output(&all));
    if (level == verify_level::receipt) {
        const result<std::string> receipt_id = receipt_id_of(*results);
        if (receipt_id) {
            all.receipt_id = *receipt_id;
            group.spawn(fetch_receipt(&all));
            group.spawn(fetch_verification(&all));
        } else {
            all.fail(receipt_id.error());
        }
    }
    const bool undisturbed = co_await group.join();
    if (!undisturbed) {
        all.first_failure = failure(errc::cancelled, "cancelled while the job's output was fetched");
    }
    if (all.first_failure) {
        all.first_failure->job_id = job_id;
        co_return *all.first_failure;
    }
    settled_job settled;
    settled.dimensions = (*all.output)->dimensions;
    settled.chunks_sampled = count_sampled(*results);
    if (level != verify_level::none) {
        const result<bool> checked = co_await check_output(&all, &*results, pin);
        if (!checked) {
            co_return checked.error();
        }
        settled.commitments_checked = *checked;
    }
    if (level == verify_level::receipt) {
        const result<void> sound = check_receipt(all);
        if (!sound) {
            co_return sound.error();
        }
        settled.receipt = std::move(**all.proof);
        settled.verification = std::move(**all.verification);
    }
    settled.results = std::move(*results);
    co_return settled;
}

}  // namespace vembed::detail
