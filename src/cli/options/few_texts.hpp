#pragma once
/// The texts of one request, in memory.

#include <cstddef>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>

#include "cli/options/command_line.hpp"

namespace vembed::cli {

inline constexpr std::size_t few_texts_max = 1000;  ///< The most texts that the service takes in one request.

/// Reads all of the files, standard input included. The error is invalid_argument if there is no text or if there are
/// more than few_texts_max; it is bad_input, with file and line, if one of them cannot be sent. No text is left out,
/// because the rows of one request are identified by their numbers. Other errors are those of open_files.
result<std::vector<std::string>> read_few_texts(const corpus_arguments& corpus);

}  // namespace vembed::cli
