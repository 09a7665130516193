#pragma once
/// Reads the service's JSON into typed values (wire contract, section 3, "Reading"). Both dialects' names are read.
/// Unknown fields stay in `raw`. What cannot be read is a protocol error that says why and quotes no receipt.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/error.hpp>
#include <vembed/core/result.hpp>

namespace vembed::aitbc {

/// What a state's word means, whatever its case; both spellings of "cancelled" are read.
job_state state_of(std::string_view word) noexcept;

/// Whether a result is a miner's report of a failure: an object whose "status" is "failed".
bool says_failed(const boost::json::value& result);

/// The body of a 2xx response to a submission. The id is required, everything else may be missing.
result<submitted_job> read_submitted(std::string_view body);

/// One job. The id is required.
result<job> read_job(std::string_view body);

/// A page of a list that was asked for `asked` jobs: `jobs`, `items` or a bare array.
result<job_page> read_page(std::string_view body, std::uint64_t asked);

/// The output that GET …/result gives. A body without `result` and `receipt` is an error.
result<job_output> read_output(std::string_view body);

result<receipt> read_receipt(std::string_view body);

/// `items`, `receipts` or a bare array.
result<receipt_page> read_receipts(std::string_view body);

/// The error of a job that ended without being completed: job_failed, job_cancelled or job_expired, with what to do.
/// `of` must be in such a state.
error outcome_error(const job& of);

}  // namespace vembed::aitbc
