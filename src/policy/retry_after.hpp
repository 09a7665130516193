#pragma once
/// The Retry-After header (RFC 9110, section 10.2.3): how long a service asks us to stay away.

#include <chrono>
#include <optional>
#include <string_view>

#include <vembed/core/failure.hpp>
#include <vembed/core/time.hpp>

namespace vembed::policy {

/// The largest delay that is read: 2^31 - 1 seconds. More is taken for a broken header.
inline constexpr std::chrono::seconds retry_after_max{2'147'483'647};

/// Reads a Retry-After value: digits (seconds) or an HTTP-date in any of its three forms, white space around it
/// allowed. The result is 1 to retry_after_max seconds; a date's distance is rounded up, so that nobody is early.
///
/// Nothing where the value cannot be used: empty, zero, signed, fractional, over the limit, a date that is not after
/// `now`, anything else. The caller then has its own default.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, wall_time now);

/// The longest that one refusal keeps us away: a day, of a quota 32 days, as none has a longer period. After that one
/// request asks again; a header with a unit mistaken must not stop an account for years.
std::chrono::seconds believed_retry_after(std::chrono::seconds asked, errc because) noexcept;

}  // namespace vembed::policy
