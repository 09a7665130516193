#pragma once
/// The parts from which the commands and their options are put together. Only the sources that add commands use them.

#include <utility>

#include <CLI/CLI.hpp>

#include "cli/options/command_options.hpp"
#include "cli_parts/option_parts.hpp"

namespace vembed::cli {

/// Adds a command. If it is given, `into.chosen` takes its arguments out of `to`.
template <class Arguments>
CLI::App* add_command(CLI::App& app, parsed_options& into, const char* name, const char* description, Arguments& to) {
    CLI::App* command = app.add_subcommand(name, description);
    command->callback([&into, &to] { into.chosen = [&to] { return command_arguments(std::move(to)); }; });
    return command;
}

/// Adds `vembed serve`.
void add_serve(CLI::App& app, parsed_options& into);

}  // namespace vembed::cli
