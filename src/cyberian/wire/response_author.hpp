#pragma once
/// Tells who wrote a response that is not 2xx, which decides what became of a POST.

#include <string_view>

#include "policy/retry/post_outcome.hpp"

namespace vembed::cyberian {

/// Judges by the documented table of refusals (wire contract, "Errors"): 400 `invalid_request` and `unknown_model`, 401
/// and 403 `unauthorized`, 402 `quota_exceeded` and any code with "trial" in it, 404 `not_found`, 413
/// `request_too_large`, 422 `verification_failed`, 429 `rate_limited`, `too_many_inflight` and `quota_exceeded`, 503
/// `service_busy`. `code` is the body's "error", empty if it has none. `may_be_json` is true if the body is JSON, or
/// the beginning of JSON that was cut off; the caller has a parser to tell.
policy::response_author author_of(int status, std::string_view code, bool may_be_json) noexcept;

}  // namespace vembed::cyberian
