#pragma once
/// Reads and writes ISO-8601 timestamps as the service writes them (wire contract: UTC).

#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::text {

/// Reads "2026-01-31T12:00:00Z", with a fraction of a second of any length (digits below a millisecond are dropped) and
/// with an offset such as +02:00 in place of Z. Nothing if it is anything else, or a date that does not exist.
std::optional<wall_time> parse_iso_time(std::string_view text) noexcept;

/// parse_iso_time() for services that are loose about the zone: without one the time is UTC, and a Z may follow an
/// offset (wire contract, "AITBC": "+00:00Z").
std::optional<wall_time> parse_loose_iso_time(std::string_view text) noexcept;

/// Writes "2026-01-31T12:00:00Z": whole seconds, rounded down.
std::string format_iso_time(wall_time at);

}  // namespace vembed::text
