#pragma once
/// The commands and options of `vembed aitbc`, as CLI11 is told them.

#include "cli_aitbc/arguments.hpp"
#include "cli_parts/access.hpp"

namespace CLI {
class App;
}

namespace vembed::cli {

inline constexpr const char* aitbc_description = "Compute jobs of AITBC: submit, look at, wait for, download";

/// Adds the commands below `command`. What they are given is read into the other arguments, which must not move while
/// the command line is parsed.
void add_aitbc(CLI::App& command, aitbc_arguments& to, service_access& access, output_options& output);

}  // namespace vembed::cli
