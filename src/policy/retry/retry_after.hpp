#pragma once
/// The Retry-After header (RFC 9110, section 10.2.3): how long a service asks us to stay away.

#include <chrono>
#include <optional>
#include <string_view>

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>

namespace vembed::policy {

/// The largest delay that is read: 2^31 - 1 seconds. A larger one means a broken header.
inline constexpr std::chrono::seconds retry_after_max{2'147'483'647};

/// The shortest pause after a refusal, whatever the refusal asks for: "at once" must not become a loop of requests.
inline constexpr std::chrono::seconds retry_after_least{1};

/// Reads a Retry-After value: digits (seconds; a fraction is allowed, and one side of its point may be empty) or an
/// HTTP-date in any of its three forms, with optional white space around it. The result is 0 to retry_after_max
/// seconds. 0 says "at once", and so does a date that is not after `now`. Fractions of a second are rounded up, so that
/// nobody is early.
///
/// Nothing if the value cannot be used: it is empty, signed, over the limit, or anything else. The caller then uses its
/// own default.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, wall_time now);

/// The time that a response's dates are compared with: its own Date header if that can be read, because the service's
/// clock may differ from ours; else `ours`.
wall_time present_of(std::optional<std::string_view> date_header, wall_time ours);

/// The longest time that one refusal keeps us away: a day, or 32 days for a quota, since no period is longer. After
/// that one request asks again, so that a header with a wrong unit does not stop an account for years.
std::chrono::seconds believed_retry_after(std::chrono::seconds asked, errc because) noexcept;

}  // namespace vembed::policy
