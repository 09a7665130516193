#pragma once
/// Reads the JSON-lines files of an output folder.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// The longest line that is read.
inline constexpr std::uint64_t line_bytes_max = 64u << 20;

/// Calls `see` with every line of the file at `path` and its number, from 1; a file that is not there has none. Stops
/// at a failure of `see`. The line is valid during the call.
result<void> for_each_line(const std::string& path,
                           const std::function<result<void>(std::string_view line, std::uint64_t number)>& see);

}  // namespace vembed::cli
