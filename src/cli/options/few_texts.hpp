#pragma once
/// The texts of one request, in memory.

#include <cstddef>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>

#include "cli/options/command_line.hpp"

namespace vembed::cli {

inline constexpr std::size_t few_texts_max = 1000;  ///< What the service takes in one request.

/// Reads all of the files, standard input included. invalid_argument where there is no text or there are more than
/// few_texts_max; bad_input, naming file and line, where one of them cannot be sent: nothing is left out, since rows of
/// one request go by their numbers. Else as open_files.
result<std::vector<std::string>> read_few_texts(const corpus_arguments& corpus);

}  // namespace vembed::cli
