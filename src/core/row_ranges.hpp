#pragma once
/// Converts sets of rows to ranges, and ranges to text.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/row_ranges.hpp>

namespace vembed::core {

/// The ranges of ascending indices.
row_ranges ranges_of(std::span<const std::uint64_t> indices);

/// The indices of ranges.
std::vector<std::uint64_t> indices_of(const row_ranges& ranges);

std::uint64_t rows_in(const row_ranges& ranges) noexcept;

/// True if the ranges are as row_ranges promises: not empty, ascending, not touching.
bool is_well_formed(const row_ranges& ranges) noexcept;

/// The ranges as "0-1000,2000-2001": half-open, as in row_ranges.
std::string to_text(const row_ranges& ranges);

/// Reads the ranges of a text; nothing if it is not exactly what to_text writes for well-formed ranges.
std::optional<row_ranges> ranges_from_text(std::string_view text);

}  // namespace vembed::core
