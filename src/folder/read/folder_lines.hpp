#pragma once
/// Reads the JSON-lines files of an output folder.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::folder {

/// The longest line that is read.
inline constexpr std::uint64_t line_bytes_max = 64u << 20;

/// What is wrong with a longer one.
inline constexpr const char* line_too_long = "the line is longer than 64 MB, and vembed writes none that is";

/// Calls `see` with every line of the file at `path` and its number, from 1; a file that is not there has none. Stops
/// at a failure of `see`. The line is valid during the call. A line over line_bytes_max is passed over and `too_long`
/// called with its number; without that it is bad_input.
result<void> for_each_line(const std::string& path,
                           const std::function<result<void>(std::string_view line, std::uint64_t number)>& see,
                           const std::function<void(std::uint64_t number)>& too_long = {});

/// How many rows failed.jsonl of the folder has for blank lines that keep their place: those did not fail. A line that
/// cannot be read is none of them; `vembed verify` says what is wrong with it.
std::uint64_t count_blank_rows(const std::string& folder);

}  // namespace vembed::folder
