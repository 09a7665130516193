#pragma once
/// Says, before anything is sent, how each file of a corpus is read.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

#include "cli/terminal/console.hpp"

namespace vembed::cli {

/// Prints each file's format, its fields and the first text that can be embedded: a line each, or objects of type
/// "input" with --json. `names` are the files as the user gave them, "-" for standard input. It has the errors of
/// open_files.
result<void> tell_inputs(console& out, const std::vector<std::string>& names, const std::vector<std::string>& files,
                         const file_source_options& format, std::uint32_t rules);

}  // namespace vembed::cli
