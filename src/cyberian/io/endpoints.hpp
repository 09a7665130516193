#pragma once
/// Cyberian's endpoints as coroutines over the request pipeline (wire contract, section 1).

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/verify/sha256.hpp>

#include "cyberian/io/calls.hpp"
#include "cyberian/io/output_sink.hpp"
#include "cyberian/io/settling.hpp"
#include "cyberian/wire/codec.hpp"
#include "cyberian/wire/job_request.hpp"
#include "http/pipeline.hpp"
#include "http/submission.hpp"
#include "policy/packing/learned_chunk_size.hpp"

namespace vembed::cyberian {

namespace asio = boost::asio;

/// A job the service accepted, with its share of the account's quota. Keep the lease until the job ends.
class submission {
public:
    job accepted;
    bool chunks_said = true;  ///< If false, accepted.chunk_count is an upper bound.
    admission::lease lease;

    submission() = default;
};

/// The facts that an output fetch learned besides the rows.
class output_report {
public:
    std::uint64_t dimensions = 0;
    std::vector<digest> chunk_digests;  ///< In the order of the results; empty if hashing was not requested.
    std::optional<digest> whole;        ///< The hash of all bytes, if it was requested.

    output_report() = default;
};

/// Every call may be repeated except submit, verify_outputs and rotate_key, which are sent once: if their response is
/// lost they return outcome_unknown. All operations of a client share this object, on the client's executor.
class endpoints : public std::enable_shared_from_this<endpoints> {
public:
    explicit endpoints(std::shared_ptr<http::pipeline> through);

    /// GETs a target, unless it is an error, and reads the response, which may have `body_limit` bytes. T is a type
    /// that read_response() reads.
    template <class T>
    asio::awaitable<result<T>> get_as(result<std::string> target, std::uint64_t body_limit, monotonic_time deadline);

    asio::awaitable<result<health_info>> get_health(monotonic_time deadline);
    asio::awaitable<result<std::vector<model_info>>> get_models(monotonic_time deadline);

    /// Enters the gate and submits. A request is tried again until the deadline if a refusal says that it had no effect
    /// (429, 503) or if no byte of it was sent; a bulk applicant gives up after a quarter of an hour of refusals. A
    /// request is never repeated if its response was lost.
    asio::awaitable<result<submission>> submit(std::shared_ptr<const job_request> request, admission::applicant who,
                                               monotonic_time deadline);
    /// Submits a request whose parts `owner` keeps alive.
    asio::awaitable<result<submission>> submit(std::shared_ptr<const void> owner, request_view request,
                                               admission::applicant who, monotonic_time deadline);

    asio::awaitable<result<job>> get_job(std::string id, monotonic_time deadline);

    /// One long poll: returns when the job is final or after `max_wait` (0 to 30 s), whichever comes first.
    asio::awaitable<result<job>> wait_job(std::string id, std::chrono::seconds max_wait, monotonic_time deadline);

    /// Long-polls until the job is SETTLED. Errors: job_failed (with the failed chunks from /results), job_refunded and
    /// timeout; all carry the job's id. If something else answers with a page in the service's place, this gives up
    /// after 30 s, or after `pages_at_first` if the service itself has not answered yet: 0 suits a caller that asks
    /// again itself and has its own patience with a new job.
    asio::awaitable<result<job>> settle(std::string id, monotonic_time deadline,
                                        std::chrono::seconds pages_at_first = page_patience::longest);

    asio::awaitable<result<job_results>> results(std::string id, monotonic_time deadline);

    /// Reads the output of a SETTLED job of `rows` rows into `place`, and hashes `chunks` (which may be empty) on the
    /// way. With chunks and `hash_whole` it also hashes all bytes together, which costs as much again.
    asio::awaitable<result<output_report>> output(std::string id, std::uint64_t rows, rows_place* place,
                                                  std::vector<expected_chunk> chunks, bool hash_whole,
                                                  monotonic_time deadline);

    asio::awaitable<result<receipt>> get_receipt(std::string id, monotonic_time deadline);
    asio::awaitable<result<receipt_verification>> verify_receipt(std::string id, monotonic_time deadline);
    /// Sends the request by the rules of submit(). Errors: request_too_large if the service takes fewer rows at once,
    /// verification_timeout if its work did not end in time, verification_failed if it found other values.
    asio::awaitable<result<receipt>> verify_outputs(std::shared_ptr<const job_request> request, std::string commitment,
                                                    monotonic_time deadline);
    asio::awaitable<result<account_info>> get_account(monotonic_time deadline);
    asio::awaitable<result<rotated_key>> rotate_key(monotonic_time deadline);
    asio::awaitable<result<void>> revoke_key(std::string key_id, monotonic_time deadline);

    /// Sends any request with the client's key, gate and retry rules. A POST is sent once. A POST to /jobs or /verify
    /// reserves one chunk of the quota, corrected if the response tells the cost.
    asio::awaitable<result<http::response>> raw(http_method method, std::string target, std::string body,
                                                monotonic_time deadline);

    /// The number of inputs that a chunk takes, as far as jobs of the model or specification showed; never too large. 0
    /// if nothing is known.
    [[nodiscard]] std::uint64_t rows_per_chunk(std::string_view model_or_spec) const;
    /// Notes that a chunk of `rows` inputs was seen.
    void learn_rows_per_chunk(std::string_view model_or_spec, std::uint64_t rows);

    /// Notes that an accepted job of `rows` inputs was charged `chunks`.
    void learn_cost(std::string_view model_or_spec, std::uint64_t rows, std::uint64_t chunks);
    [[nodiscard]] const std::shared_ptr<http::pipeline>& through() const noexcept { return through_; }

private:
    asio::awaitable<result<http::response>> get(std::string target, std::uint64_t body_limit, monotonic_time deadline);
    asio::awaitable<result<job>> fetch_job(std::string id, std::string target, monotonic_time deadline);
    asio::awaitable<result<http::response>> raw_job(bool submits, std::string target, std::string body,
                                                    monotonic_time deadline);
    asio::awaitable<result<http::sent_submission>> post_job(request_view request, const std::string* commitment,
                                                            admission::applicant who, monotonic_time deadline);
    result<submission> take_accepted(const request_view& request, const http::response& accepted,
                                     admission::lease lease);
    [[nodiscard]] std::uint64_t estimate_chunks(const request_view& request) const;
    policy::learned_chunk_size* chunk_size_of(std::string_view model_or_spec);

    std::shared_ptr<http::pipeline> through_;
    std::map<std::string, policy::learned_chunk_size, std::less<>> chunk_sizes_;  ///< By model or specification.
};

template <class T>
asio::awaitable<result<T>> endpoints::get_as(result<std::string> target, std::uint64_t body_limit,
                                             monotonic_time deadline) {
    if (!target) {
        co_return target.error();
    }
    const result<http::response> got = co_await get(std::move(*target), body_limit, deadline);
    if (!got) {
        co_return got.error();
    }
    co_return read_response<T>(got->body);
}

}  // namespace vembed::cyberian
