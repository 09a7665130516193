#include "cyberian/io/endpoints.hpp"

#include <algorithm>

#include "core/with_job.hpp"
#include "cyberian/io/settling.hpp"
#include "cyberian/wire/account_answer.hpp"
#include "cyberian/wire/claim.hpp"
#include "cyberian/wire/json_text.hpp"
#include "policy/input/input_rules.hpp"
#include "policy/input/path_segment.hpp"
#include "policy/packing/packing.hpp"
#include "text/utf8.hpp"

namespace vembed::cyberian {
namespace {

constexpr std::chrono::seconds wait_max{30};
constexpr std::size_t chunk_sizes_max = 64;
// The timeout of POST /verify is the time that the 0.1.0 client waits for a job.
constexpr std::chrono::seconds verify_timeout{600};

// A POST of a job or, if there is a commitment, of a verification, which blocks until its work is done.
http::call job_call(const request_view& request, const std::string* commitment, monotonic_time deadline) {
    if (commitment == nullptr) {
        return post_call("/jobs", write_job_body(request), deadline);
    }
    http::call made = post_call("/verify", write_verify_body(request, *commitment), deadline);
    made.try_timeout = verify_timeout;
    return made;
}

}  // namespace

endpoints::endpoints(std::shared_ptr<http::pipeline> through) : through_(std::move(through)) {}

asio::awaitable<result<http::response>> endpoints::get(std::string target, std::uint64_t body_limit,
                                                       monotonic_time deadline) {
    http::call what;
    what.target = std::move(target);
    what.body_limit = body_limit;
    what.deadline = deadline;
    return through_->repeat(std::move(what));
}

asio::awaitable<result<health_info>> endpoints::get_health(monotonic_time deadline) {
    http::call what;
    what.target = "/health";
    what.authorize = false;
    what.deadline = deadline;
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return got.error();
    }
    co_return read_response<health_info>(got->body);
}

asio::awaitable<result<std::vector<model_info>>> endpoints::get_models(monotonic_time deadline) {
    return get_as<std::vector<model_info>>(std::string("/models"), large_response_max, deadline);
}

std::uint64_t endpoints::rows_per_chunk(std::string_view model_or_spec) const {
    const auto found = chunk_sizes_.find(model_or_spec);
    return found == chunk_sizes_.end() ? 0 : found->second.rows();
}

policy::learned_chunk_size* endpoints::chunk_size_of(std::string_view model_or_spec) {
    if (chunk_sizes_.size() >= chunk_sizes_max && !chunk_sizes_.contains(model_or_spec)) {
        return nullptr;
    }
    return &chunk_sizes_.try_emplace(std::string(model_or_spec)).first->second;
}

void endpoints::learn_rows_per_chunk(std::string_view model_or_spec, std::uint64_t rows) {
    policy::learned_chunk_size* const size = rows == 0 ? nullptr : chunk_size_of(model_or_spec);
    if (size != nullptr) {
        size->chunk_held(std::min<std::uint64_t>(rows, policy::inputs_max));
    }
}

void endpoints::learn_cost(std::string_view model_or_spec, std::uint64_t rows, std::uint64_t chunks) {
    policy::learned_chunk_size* const size = chunks == 0 ? nullptr : chunk_size_of(model_or_spec);
    if (size != nullptr) {
        size->job_took(rows, chunks);
    }
}

std::uint64_t endpoints::estimate_chunks(const request_view& request) const {
    const std::uint64_t size = rows_per_chunk(request.name());
    // If nothing is known, the estimate is 1 and the first response corrects it; a high guess could refuse what the
    // account allows.
    return size == 0 ? 1 : policy::chunks_of(request.inputs.size(), size);
}

result<submission> endpoints::take_accepted(const request_view& request, const http::response& accepted,
                                            admission::lease lease) {
    result<job> made = read_response<job>(accepted.body);
    if (!made) {
        return unreadable_acceptance(made.error());
    }
    if (const result<std::string> usable = policy::encode_path_segment(made->id); !usable) {
        return unreadable_acceptance(usable.error());
    }
    // A chunk holds at least one input; a larger count cannot be what was charged.
    const bool said = made->chunk_count > 0 && made->chunk_count <= request.inputs.size();
    if (!said) {
        // Budgets count the largest possible cost: one chunk for each input until the chunk size is known.
        lease.settle(estimate_chunks(request));
        made->chunk_count = rows_per_chunk(request.name()) == 0 ? request.inputs.size() : estimate_chunks(request);
    } else {
        lease.settle(made->chunk_count);
        // n inputs in c chunks show that a chunk takes at least ceil(n / c) of them, so that estimates made from it
        // never fall short of what is charged.
        learn_cost(request.name(), request.inputs.size(), made->chunk_count);
    }
    submission taken;
    taken.accepted = std::move(*made);
    taken.chunks_said = said;
    taken.lease = std::move(lease);
    return taken;
}

asio::awaitable<result<submission>> endpoints::submit(std::shared_ptr<const job_request> request,
                                                      admission::applicant who, monotonic_time deadline) {
    const request_view parts(*request);
    return submit(std::move(request), parts, std::move(who), deadline);
}

// Enters the gate and sends; repeats both if a refusal had no effect.
asio::awaitable<result<http::sent_submission>> endpoints::post_job(request_view request, const std::string* commitment,
                                                                   admission::applicant who, monotonic_time deadline) {
    http::submission_call what;
    what.make = [request, commitment, deadline] { return job_call(request, commitment, deadline); };
    what.chunks = admission::chunk_estimate([this, request] { return estimate_chunks(request); });
    what.answers_late = commitment != nullptr;
    what.worked_on = [](const error& refused) { return refused.kind == errc::verification_failed; };
    return http::submit(through_, std::move(what), std::move(who), deadline);
}

asio::awaitable<result<submission>> endpoints::submit(std::shared_ptr<const void> owner, request_view request,
                                                      admission::applicant who, monotonic_time deadline) {
    // `owner` stays alive in this frame because `request` has views into it.
    static_cast<void>(owner);
    const result<void> good = check(request);
    if (!good) {
        co_return good.error();
    }
    result<http::sent_submission> made = co_await post_job(request, nullptr, std::move(who), deadline);
    if (!made) {
        co_return made.error();
    }
    if (made->sent.outcome != policy::post_outcome::accepted) {
        // If the outcome is in doubt, the destroyed lease counts as spent.
        co_return *made->sent.error;
    }
    co_return take_accepted(request, made->sent.accepted, std::move(made->lease));
}

asio::awaitable<result<job>> endpoints::fetch_job(std::string id, std::string target, monotonic_time deadline) {
    const result<http::response> got = co_await get(std::move(target), small_response_max, deadline);
    if (!got) {
        co_return with_job(got.error(), id);
    }
    result<job> read = read_job_state(got->body);
    if (!read) {
        co_return with_job(read.error(), id);
    }
    error wrong(errc::protocol, "the service answered with another job's state");
    wrong.raw_body = got->body.substr(0, error::max_raw_body);
    if (read->status_text.empty()) {
        wrong.message = "the service's response breaks its contract: it has no \"status\"";
        co_return with_job(std::move(wrong), id);
    }
    read->id = read->id.empty() ? id : read->id;
    if (read->id != id) {
        co_return with_job(std::move(wrong), id);
    }
    co_return read;
}

asio::awaitable<result<job>> endpoints::get_job(std::string id, monotonic_time deadline) {
    const result<std::string> target = path_of("/jobs/", id, "");
    if (!target) {
        co_return target.error();
    }
    co_return co_await fetch_job(std::move(id), *target, deadline);
}

asio::awaitable<result<job>> endpoints::wait_job(std::string id, std::chrono::seconds max_wait,
                                                 monotonic_time deadline) {
    const std::chrono::seconds asked = std::clamp(max_wait, std::chrono::seconds(0), wait_max);
    const result<std::string> target = path_of("/jobs/", id, "/wait?max_wait=" + std::to_string(asked.count()));
    if (!target) {
        co_return target.error();
    }
    co_return co_await fetch_job(std::move(id), *target, deadline);
}

asio::awaitable<result<job_results>> endpoints::results(std::string id, monotonic_time deadline) {
    const result<std::string> target = path_of("/jobs/", id, "/results");
    if (!target) {
        co_return target.error();
    }
    const result<http::response> got = co_await get(*target, large_response_max, deadline);
    if (!got) {
        co_return with_job(got.error(), id);
    }
    result<job_results> read = read_response<job_results>(got->body);
    if (read && read->job_id.empty()) {
        read->job_id = id;
    }
    if (read && read->job_id != id) {
        co_return with_job(error(errc::verification_failed, "the results are those of another job"), id);
    }
    co_return read;
}

asio::awaitable<result<output_report>> endpoints::output(std::string id, std::uint64_t rows, rows_place* place,
                                                         std::vector<expected_chunk> chunks, bool hash_whole,
                                                         monotonic_time deadline) {
    const result<std::string> target = path_of("/jobs/", id, "/output");
    if (!target) {
        co_return target.error();
    }
    output_sink sink(rows, *place, std::move(chunks), hash_whole);
    http::call what;
    what.target = *target;
    what.sink = &sink;
    what.deadline = deadline;
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return with_job(got.error(), id);
    }
    const result<void> whole = sink.complete();
    if (!whole) {
        co_return with_job(whole.error(), id);
    }
    const result<void> sane = check_rows(sink.values(), rows, sink.dimensions());
    if (!sane) {
        co_return with_job(sane.error(), id);
    }
    const result<output_digests> digests = sink.digests();
    if (!digests) {
        co_return with_job(digests.error(), id);
    }
    if (!sink.shape_told()) {
        through_->env()->log(log_level::warning, "output_without_shape",
                             {log_field("job_id", id), log_field("dimensions", sink.dimensions())});
    }
    output_report report;
    report.dimensions = sink.dimensions();
    report.chunk_digests = digests->chunks;
    report.whole = digests->whole;
    co_return report;
}

asio::awaitable<result<receipt>> endpoints::get_receipt(std::string id, monotonic_time deadline) {
    return get_as<receipt>(path_of("/receipts/", id, ""), large_response_max, deadline);
}

asio::awaitable<result<receipt_verification>> endpoints::verify_receipt(std::string id, monotonic_time deadline) {
    return get_as<receipt_verification>(path_of("/receipts/", id, "/verify"), small_response_max, deadline);
}

asio::awaitable<result<receipt>> endpoints::verify_outputs(std::shared_ptr<const job_request> request,
                                                           std::string commitment, monotonic_time deadline) {
    const request_view parts(*request);
    const result<void> good = check_claim(parts, commitment);
    if (!good) {
        co_return good.error();
    }
    result<http::sent_submission> made = co_await post_job(parts, &commitment, admission::applicant(), deadline);
    if (!made) {
        co_return made.error();
    }
    if (made->sent.outcome == policy::post_outcome::accepted) {
        // The service ran the verification as a job, so it costs quota like a job.
        made->lease.settle(estimate_chunks(parts));
        result<receipt> read = read_response<receipt>(made->sent.accepted.body);
        if (!read) {
            co_return unreadable_acceptance(read.error());
        }
        co_return read;
    }
    error f = claim_failure(*made->sent.error, request->inputs.size(), rows_per_chunk(parts.name()));
    if (f.kind == errc::verification_failed) {
        made->lease.settle(estimate_chunks(parts));  // The work was done, so it is charged.
    }
    co_return f;
}

asio::awaitable<result<account_info>> endpoints::get_account(monotonic_time deadline) {
    const result<http::response> got = co_await get("/account", large_response_max, deadline);
    if (!got) {
        const error& why = got.error();
        co_return account_unread(why, why.http_status, why.raw_body);
    }
    result<account_info> read = read_response<account_info>(got->body);
    if (!read) {
        co_return account_unread(read.error(), got->head.status, got->body);
    }
    co_return read;
}

asio::awaitable<result<rotated_key>> endpoints::rotate_key(monotonic_time deadline) {
    const result<void> passed = co_await through_->gate()->pass(deadline);
    if (!passed) {
        co_return passed.error();
    }
    http::call what = post_call("/auth/keys/rotate", "", deadline);
    const http::post_result sent = co_await through_->send_once(std::move(what));
    if (sent.outcome != policy::post_outcome::accepted) {
        error f = *sent.error;
        if (sent.outcome == policy::post_outcome::unknown) {
            f.message += ". A new key may exist: `account` lists the keys; revoke the ones you cannot name";
        }
        co_return f;
    }
    const result<rotated_key> read = read_response<rotated_key>(sent.accepted.body);
    if (!read) {
        co_return unreadable_acceptance(read.error());
    }
    co_return *read;
}

asio::awaitable<result<void>> endpoints::revoke_key(std::string key_id, monotonic_time deadline) {
    if (key_id.empty() || text::first_invalid_utf8(key_id)) {
        co_return error(errc::invalid_argument, "the key id is empty or not valid UTF-8");
    }
    std::string body = R"({"key_id":)";
    append_json_string(body, key_id);
    body += '}';
    // The contract calls this idempotent, so repeating it is safe.
    http::call what = post_call("/auth/keys/revoke", std::move(body), deadline);
    const result<http::response> got = co_await through_->repeat(std::move(what));
    if (!got) {
        co_return got.error();
    }
    co_return result<void>();
}

asio::awaitable<result<http::response>> endpoints::raw(http_method method, std::string target, std::string body,
                                                       monotonic_time deadline) {
    const bool good = target.starts_with('/') && std::all_of(target.begin(), target.end(),
                                                             [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
    if (!good) {
        co_return error(errc::invalid_argument, "the target must begin with / and hold visible ASCII only");
    }
    if (method == http_method::get) {
        co_return co_await get(std::move(target), large_response_max, deadline);
    }
    const std::string_view path = std::string_view(target).substr(0, target.find('?'));
    if (method == http_method::post && (path == "/jobs" || path == "/verify")) {
        const bool submits = path == "/jobs";
        co_return co_await raw_job(submits, std::move(target), std::move(body), deadline);
    }
    const result<void> passed = co_await through_->gate()->pass(deadline);
    if (!passed) {
        co_return passed.error();
    }
    http::call what = post_call(std::move(target), std::move(body), deadline);
    what.method = method;
    what.body_limit = large_response_max;
    http::post_result sent = co_await through_->send_once(std::move(what));
    if (sent.outcome != policy::post_outcome::accepted) {
        co_return *sent.error;
    }
    co_return std::move(sent.accepted);
}

// A raw POST to /jobs or /verify takes quota just like submit() or verify_outputs().
asio::awaitable<result<http::response>> endpoints::raw_job(bool submits, std::string target, std::string body,
                                                           monotonic_time deadline) {
    constexpr std::uint64_t chunks_least = 1;  // The caller wrote the body; the response tells the cost.
    result<admission::lease> entered = co_await through_->gate()->enter(chunks_least, admission::applicant(), deadline);
    if (!entered) {
        co_return entered.error();
    }
    http::call what = post_call(std::move(target), std::move(body), deadline);
    what.body_limit = large_response_max;
    entered->sent();
    if (!submits) {
        entered->answers_late();
    }
    http::post_result sent = co_await through_->send_once(std::move(what));
    if (sent.outcome == policy::post_outcome::accepted) {
        const result<job> made = read_response<job>(sent.accepted.body);
        const std::uint64_t told = made ? made->chunk_count : 0;
        entered->settle(std::clamp(told, chunks_least, std::uint64_t{policy::inputs_max}));
        co_return std::move(sent.accepted);
    }
    if (sent.error->kind == errc::verification_failed) {
        entered->settle(chunks_least);  // The work was done, so it is charged.
    } else if (sent.outcome != policy::post_outcome::unknown) {
        entered->refused(*sent.error);
    }
    co_return *sent.error;
}

}  // namespace vembed::cyberian
