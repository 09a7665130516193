#pragma once
/// Reads and writes HTTP dates (RFC 9110, section 5.6.7): the three forms a recipient must read, and the one a sender
/// writes.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::text {

/// Reads exactly one of IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT"), rfc850-date ("Sunday, 06-Nov-94 08:49:37 GMT")
/// and asctime-date ("Sun Nov  6 08:49:37 1994"); names are case-sensitive and nothing may stand before or after.
///
/// The weekday must be a weekday's name but may be the wrong one. A two-digit year is the latest one that makes the
/// date no more than 50 years later than `now`. Second 60 counts as the first second of the next minute. Nothing if the
/// date or time does not exist (30 Feb, 24:00:00).
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text, wall_time now);

/// The time as IMF-fixdate, without the fraction of the second. A year outside 0 to 9999 has no such form and is
/// clamped to it.
std::string format_http_date(wall_time time);

}  // namespace vembed::text
