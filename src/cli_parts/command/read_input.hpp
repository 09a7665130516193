#pragma once
/// Reads what a command sends from a file that the user names.

#include <cstddef>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// All bytes of a file, or of standard input if it is "-". invalid_argument with the text `too_large` if there are more
/// than `bytes_max`, cancelled if the first Ctrl-C comes while standard input is read, io.
result<std::string> read_input(const std::string& file, std::size_t bytes_max, std::string_view too_large);

}  // namespace vembed::cli
