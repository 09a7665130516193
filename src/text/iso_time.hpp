#pragma once
/// ISO-8601 timestamps as the service writes them (wire contract: UTC), read and written.

#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::text {

/// "2026-01-31T12:00:00Z", with a fraction of a second of any length (what is below a millisecond is cut off) and with
/// an offset such as +02:00 in place of Z. Nothing where it is anything else, or a date that does not exist.
std::optional<wall_time> parse_iso_time(std::string_view text) noexcept;

/// "2026-01-31T12:00:00Z": whole seconds, rounded down.
std::string format_iso_time(wall_time at);

}  // namespace vembed::text
