#pragma once
/// Claims about outputs of the caller's own (POST /verify): what cannot be right, and what refusals of them mean. Pure.

#include <cstdint>
#include <string_view>

#include <vembed/core/result.hpp>

#include "cyberian/wire/job_request.hpp"

namespace vembed::cyberian {

/// As check(), and: invalid_argument for a commitment that is not 64 hex digits; request_too_large for more inputs than
/// the specification's chunk_size, because the older form takes one chunk (wire contract, "POST /verify").
result<void> check_claim(const request_view& request, std::string_view commitment);

/// What the failure of a claim about `rows` rows is to the caller: verification_timeout for the service's own word that
/// the work did not end in time, request_too_large where it refuses more than one chunk, else what it was.
/// `rows_per_chunk`: as far as known, else 0.
failure claim_failure(failure f, std::uint64_t rows, std::uint64_t rows_per_chunk);

}  // namespace vembed::cyberian
