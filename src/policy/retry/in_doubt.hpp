#pragma once
/// The error of a request that was sent once and of which nobody knows whether it had an effect.

#include <span>
#include <string>
#include <string_view>

#include <vembed/core/error.hpp>

namespace vembed::policy {

/// outcome_unknown: `why` the request is in doubt, the `reason` why that is not decided, and the jobs that may be its
/// own, all of which become parts of one sentence for people. If there is exactly one, it is the error's job_id.
error in_doubt_error(std::string_view why, std::string_view reason, std::span<const std::string> jobs);

}  // namespace vembed::policy
