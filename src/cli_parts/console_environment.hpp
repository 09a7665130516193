#pragma once
/// What a command takes from the machine.

#include <functional>
#include <memory>
#include <string>

#include <vembed/runtime/environment.hpp>
#include <vembed/runtime/log.hpp>

#include "cli_parts/console.hpp"

namespace vembed::cli {

/// Sees a log record first. It returns true if it has handled the record and the console need not show it.
using log_watch = std::function<bool(const log_record&)>;

/// The folder in which this user's programs keep state, from the values of XDG_STATE_HOME and HOME: an absolute path,
/// or empty if neither is absolute. Pure.
std::string state_folder(const char* xdg_state_home, const char* home);

/// state_folder() of this process' variables.
std::string usual_state_folder();

/// The machine's environment, with log records on the console. A watch is given warnings and errors at every `level`.
/// `out` must outlive the environment.
std::shared_ptr<environment> make_console_environment(console& out, log_level level, log_watch watch = {});

}  // namespace vembed::cli
