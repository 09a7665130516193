#pragma once
/// Waits for jobs, with progress.

#include <chrono>
#include <string>
#include <vector>

#include "cli_aitbc/session.hpp"
#include "cli_parts/command/wait_report.hpp"
#include "cli_parts/command_context.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

/// Waits for all jobs at once: they share their requests. Each job is reported as it ends. If Ctrl-C or the timeout (0:
/// none) ends the wait, that is said with the command that goes on.
exit_code wait_for_jobs(const command_context& context, aitbc_session& with, std::vector<std::string> ids,
                        std::chrono::seconds timeout, told_at_end at_end);

}  // namespace vembed::cli
