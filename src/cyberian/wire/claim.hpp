#pragma once
/// Claims about the caller's own outputs (POST /verify): checks them before they are sent and interprets their
/// refusals. Pure.

#include <cstdint>
#include <string_view>

#include <vembed/core/result.hpp>

#include "cyberian/wire/job_request.hpp"

namespace vembed::cyberian {

/// Returns the errors of check(), and also invalid_argument for a commitment that is not 64 hex digits;
/// request_too_large for more inputs than the specification's chunk_size, because the older form takes one chunk (wire
/// contract, "POST /verify").
result<void> check_claim(const request_view& request, std::string_view commitment);

/// The error that the caller gets for a failed claim about `rows` rows: verification_timeout if the service itself says
/// that the work did not end in time, request_too_large if it refuses more than one chunk, else `f` unchanged.
/// `rows_per_chunk` is 0 if it is not known.
error claim_failure(error f, std::uint64_t rows, std::uint64_t rows_per_chunk);

}  // namespace vembed::cyberian
