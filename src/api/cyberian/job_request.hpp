#pragma once
/// A job's request: checked before anything is sent, then written as the service wants it.

#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>

#include "policy/input_rules.hpp"

namespace vembed::cyberian {

/// invalid_argument where the request mixes or lacks the two forms, has no inputs or too many, or an input that would
/// be refused (named by its index).
result<void> check(const job_request& request, std::size_t most_inputs = policy::inputs_max);

/// The body of POST /jobs.
std::string write_job_body(const job_request& request);

/// The body of POST /verify.
std::string write_verify_body(const job_request& request, std::string_view claimed_output_commitment);

}  // namespace vembed::cyberian
