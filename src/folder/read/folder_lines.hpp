#pragma once
/// Reads the JSON-lines files of an output folder.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::folder {

/// The longest line that is read, in bytes.
inline constexpr std::uint64_t line_bytes_max = 64u << 20;

/// The message for a longer line.
inline constexpr const char* line_too_long = "the line is longer than 64 MB, and vembed writes none that is";

/// Calls `see` with every line of the file at `path` and its number, from 1. A missing file has no lines. Stops at an
/// error of `see`. The line is valid during the call. If `too_long` is given, it is called with the number of each line
/// over line_bytes_max and the line is skipped; otherwise such a line is bad_input.
result<void> for_each_line(const std::string& path,
                           const std::function<result<void>(std::string_view line, std::uint64_t number)>& see,
                           const std::function<void(std::uint64_t number)>& too_long = {});

/// The number of rows in the folder's failed.jsonl for blank lines that keep their row number; these rows did not fail.
/// A line that cannot be read is not counted; `vembed verify` says what is wrong with it.
std::uint64_t count_blank_rows(const std::string& folder);

}  // namespace vembed::folder
