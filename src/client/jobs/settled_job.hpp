#pragma once
/// Fetches and checks the evidence of a settled job.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/output_check.hpp>
#include <vembed/verify/verify_level.hpp>

#include "cyberian/io/endpoints.hpp"

namespace vembed::detail {

namespace asio = boost::asio;

/// The job and what is requested of it.
class settled_query {
public:
    std::string job_id;
    std::uint64_t rows = 0;
    verify_level level = verify_level::receipt;
    /// The job's inputs, for verify_level::offline; null if they are not available.
    std::shared_ptr<const std::vector<std::string>> inputs;
    std::string model;             ///< For the report's texts; empty for a specification.
    std::uint64_t dimensions = 0;  ///< From the catalog; 0 if not known.

    settled_query() = default;
};

class settled_job {
public:
    job_results results;
    vembed::receipt receipt;
    receipt_verification verification;
    std::uint64_t dimensions = 0;
    std::uint64_t chunks_sampled = 0;
    std::optional<digest> output_sha256;  ///< Set if all bytes were hashed: offline, or one chunk.
    offline_report checks;                ///< Empty with verify_level::none.

    settled_job() = default;
};

/// The evidence to check against the receipt or, if none was requested, the results to check against the output. Pure.
offline_evidence evidence_of(const settled_query& query, const job_results& results,
                             const std::optional<output_evidence>& output);

/// Returns verification_failed, naming the check, for the first check that failed; else nothing. Pure.
result<void> judge(const offline_report& checks, const std::string& job_id);

/// Fetches /results, then concurrently the output, the receipt and the service's verification of it, and checks them as
/// the query asks. What they show is added to `pins`, which all operations of a client share. The rows are in `place`
/// even if this fails: the caller must withhold them. All errors carry the job's id; `checks`, if not null, gets the
/// report even if this fails.
asio::awaitable<result<settled_job>> fetch_settled_job(std::shared_ptr<cyberian::endpoints> api,
                                                       std::shared_ptr<environment> env,
                                                       std::shared_ptr<account_pins> pins, settled_query query,
                                                       cyberian::rows_place* place, offline_report* checks,
                                                       monotonic_time deadline);

}  // namespace vembed::detail
