#pragma once
/// Everything a settled job has to show, fetched together and checked.

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include <vembed/bulk/options.hpp>
#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/runtime/environment.hpp>

#include "cyberian/endpoints.hpp"

namespace vembed::detail {

namespace asio = boost::asio;

/// Whether chunk commitments are the plain SHA-256 of the chunks' bytes. The contract implies it and does not say it,
/// so the first chunk that matches settles it for the account; from then on a mismatch is a failure. Before, a
/// mismatch shows nothing.
class commitment_pin {
public:
    bool sha256_of_bytes = false;

    commitment_pin() = default;
};

/// How the chunks' hashes compare with their commitments.
class commitment_check {
public:
    std::uint64_t matched = 0;
    std::uint64_t absent = 0;                     ///< Chunks without a commitment.
    std::optional<std::uint64_t> first_mismatch;  ///< Position of the first chunk that differs.

    commitment_check() = default;
};

/// Pure: counts matches. `digests` is in the order of `chunks`.
commitment_check compare_commitments(const std::vector<chunk_result>& chunks, const std::vector<digest>& digests);

/// Pure: what the comparison means under the pin, which it may set. verification_failed for a mismatch under the pin;
/// true where every chunk was compared and matched, false where that could not be checked.
result<bool> judge_commitments(const commitment_check& seen, commitment_pin& pin, const std::string& job_id);

class settled_job {
public:
    job_results results;
    vembed::receipt receipt;
    receipt_verification verification;
    std::uint64_t dimensions = 0;
    std::uint64_t chunks_sampled = 0;
    bool commitments_checked = false;

    settled_job() = default;
};

/// Fetches /results, then output, receipt and the service's verification of it at once, and checks them as `level`
/// asks. The rows are in `place` even where this fails: the caller withholds them. All failures carry the job's id.
asio::awaitable<result<settled_job>> fetch_settled_job(std::shared_ptr<cyberian::endpoints> api,
                                                       std::shared_ptr<environment> env,
                                                       std::shared_ptr<commitment_pin> pin, std::string job_id,
                                                       std::uint64_t rows, cyberian::rows_place* place,
                                                       verify_level level, monotonic_time deadline);

}  // namespace vembed::detail
