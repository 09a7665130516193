#pragma once
/// Everything a settled job has to show, fetched together and checked.

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

/// The chunks that a job's results list, as the checks take them.
std::vector<expected_chunk> listed_chunks(const job_results& results);

/// Which job, and what is asked of it.
class settled_query {
public:
    std::string job_id;
    std::uint64_t rows = 0;
    verify_level level = verify_level::receipt;
    /// The job's inputs, for verify_level::offline; null where they are not at hand.
    std::shared_ptr<const std::vector<std::string>> inputs;
    std::string model;             ///< For the report's words; empty for a specification.
    std::uint64_t dimensions = 0;  ///< What the model is said to have; 0 where not known.

    settled_query() = default;
};

class settled_job {
public:
    job_results results;
    vembed::receipt receipt;
    receipt_verification verification;
    std::uint64_t dimensions = 0;
    std::uint64_t chunks_sampled = 0;
    std::optional<digest>
        output_sha256;      ///< Where the whole output was hashed: offline, and where a chunk is all of it.
    offline_report checks;  ///< Empty with verify_level::none.

    settled_job() = default;
};

/// Pure: what is held against the receipt or, where none was asked for, the results against the output.
offline_evidence evidence_of(const settled_query& query, const job_results& results,
                             const std::optional<output_evidence>& output);

/// Pure: verification_failed for the first check that failed, naming it; else nothing.
result<void> judge(const offline_report& checks, const std::string& job_id);

/// Fetches /results, then output, receipt and the service's verification of it at once, and checks them as the query
/// asks. `pins`, which all operations of a client share, gain what they show. The rows are in `place` even where this
/// fails: the caller withholds them. All failures carry the job's id; `checks`, where not null, gets the report even
/// then.
asio::awaitable<result<settled_job>> fetch_settled_job(std::shared_ptr<cyberian::endpoints> api,
                                                       std::shared_ptr<environment> env,
                                                       std::shared_ptr<account_pins> pins, settled_query query,
                                                       cyberian::rows_place* place, offline_report* checks,
                                                       monotonic_time deadline);

}  // namespace vembed::detail
