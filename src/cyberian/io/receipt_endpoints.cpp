#include "cyberian/io/calls.hpp"
#include "cyberian/io/endpoints.hpp"
#include "cyberian/wire/claim.hpp"
#include "cyberian/wire/codec.hpp"

namespace vembed::cyberian {

asio::awaitable<result<receipt>> endpoints::get_receipt(std::string id, monotonic_time deadline) {
    const result<std::string> target = path_of("/receipts/", id, "");
    if (!target) {
        co_return target.error();
    }
    const result<http::response> got = co_await get(*target, large_response_max, deadline);
    if (!got) {
        co_return got.error();
    }
    co_return read_receipt(got->body);
}

asio::awaitable<result<receipt_verification>> endpoints::verify_receipt(std::string id, monotonic_time deadline) {
    const result<std::string> target = path_of("/receipts/", id, "/verify");
    if (!target) {
        co_return target.error();
    }
    const result<http::response> got = co_await get(*target, small_response_max, deadline);
    if (!got) {
        co_return got.error();
    }
    co_return read_receipt_verification(got->body);
}

asio::awaitable<result<receipt>> endpoints::verify_outputs(std::shared_ptr<const job_request> request,
                                                           std::string commitment, monotonic_time deadline) {
    const request_view parts(*request);
    const result<void> good = check_claim(parts, commitment);
    if (!good) {
        co_return good.error();
    }
    result<sent_job> made = co_await post_job(parts, &commitment, admission::applicant(), deadline);
    if (!made) {
        co_return made.error();
    }
    if (made->sent.outcome == policy::post_outcome::accepted) {
        // The service ran the verification as a job, so it costs quota like a job.
        made->lease.settle(estimate_chunks(parts));
        result<receipt> read = read_receipt(made->sent.accepted.body);
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

}  // namespace vembed::cyberian
