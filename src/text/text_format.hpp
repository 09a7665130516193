#pragma once
/// Formats numbers, times and foreign text for a person at a terminal. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/row_ranges.hpp>

namespace vembed::text {

/// "117,659".
std::string grouped(std::uint64_t number);

/// "1 chunk", "1,177 chunks".
std::string counted(std::uint64_t number, const char* one, const char* more);

/// At most four characters and a unit: "9999", "412k", "1.2M", "12M", "3.4G".
std::string short_count(std::uint64_t number);

/// "812 B", "4.2 kB", "480 MB", "1.5 GB".
std::string short_bytes(std::uint64_t bytes);

/// "41.9 GB" or "12.3 kB", always with a decimal, rounded so that what is needed (`up`) never looks like what is free.
std::string rounded_bytes(std::uint64_t bytes, bool up);

/// short_bytes for sizes that stand in one sentence. Sizes that differ look different, in a smaller unit if necessary
/// ("4,212 MB" and "4,208 MB"), and the larger one never looks like the smaller.
std::vector<std::string> short_bytes_apart(const std::vector<std::uint64_t>& sizes);

/// "0.4 s", "12 s", "3min 05s", "2h 03min", "3d 04h". Negative durations count as zero.
std::string short_duration(std::chrono::milliseconds duration);

/// "0.4", "61", "9,800": rates of any size, without noise.
std::string short_rate(double per_second);

/// "rows 0-999, 2000": half-open ranges as inclusive ones, at most `shown_max` of them.
std::string describe_rows(const std::vector<std::uint64_t>& rows, std::size_t shown_max = 8);
std::string describe_ranges(const row_ranges& ranges, std::size_t shown_max = 8);

/// Foreign text that is safe for a terminal and a log: control characters are escaped and keys are masked.
std::string printable(std::string_view text);

/// printable() that keeps line ends.
std::string printable_lines(std::string_view text);

/// The text with U+FFFD in place of bytes that are not UTF-8, so that it is valid in JSON.
std::string utf8_text(std::string_view text);

}  // namespace vembed::text
