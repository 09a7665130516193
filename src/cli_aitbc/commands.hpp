#pragma once
/// The program's commands for AITBC's compute jobs.

#include "cli_aitbc/arguments.hpp"
#include "cli_parts/command_context.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

exit_code run_aitbc(const command_context& context, const aitbc_arguments& arguments);

}  // namespace vembed::cli
