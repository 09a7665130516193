#pragma once
/// The times that `history` takes. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::cli {

enum class bound : std::uint8_t { from, to };

/// "2026-01-31" is the beginning of that day (UTC), or its last millisecond if it is the `to`; "2026-01-31T12:00:00Z"
/// is that time, which is UTC if it names no zone. Nothing if it is anything else or does not exist.
std::optional<wall_time> read_bound(std::string_view text, bound which);

}  // namespace vembed::cli
