#pragma once
/// What every command is given, and how it ends with an error.

#include "cli_parts/access.hpp"
#include "cli_parts/console.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

/// What every command is given.
class command_context {
public:
    console& out;
    const service_access& access;
    const output_options& output;
};

/// Shows an error and returns the exit status that goes with it.
inline exit_code give_up(console& out, const error& f) {
    out.fail(f);
    return exit_code_of(f);
}

inline exit_code give_up(console& out, const command_failure& f) {
    out.fail(f.reason);
    return f.code;
}

}  // namespace vembed::cli
