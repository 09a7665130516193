#pragma once
/// The Retry-After header (RFC 9110, section 10.2.3): how long a service asks us to stay away.

#include <chrono>
#include <optional>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// The largest delay that is believed: 2^31 - 1 seconds. More is taken for a broken header. The caller caps what it is
/// ready to wait.
inline constexpr std::chrono::seconds retry_after_max{2'147'483'647};

/// Reads a Retry-After value: digits (seconds) or an HTTP-date in any of its three forms, white space around it
/// allowed. The result is 1 to retry_after_max seconds; a date's distance is rounded up, so that nobody is early.
///
/// Nothing where the value cannot be used: empty, zero, signed, fractional, over the limit, a date that is not after
/// `now`, anything else. The caller then has its own default.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, wall_time now);

}  // namespace vembed::policy
