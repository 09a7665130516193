#pragma once
/// The program's commands and options, as CLI11 is told them.

#include <functional>
#include <string>

#include "cli/options/command_line.hpp"

namespace CLI {
class App;
}

namespace vembed::cli {

/// Everything that options are read into. It must not move while the command line is parsed.
class parsed_options {
public:
    output_options output;
    service_access access;
    embed_arguments embed;
    plan_arguments plan;
    attest_arguments attest;
    verify_arguments verify;
    serve_arguments serve;
    job_arguments job;
    receipt_arguments receipt;
    keys_arguments keys;
    export_arguments exported;
    prove_arguments prove;
    check_proof_arguments check_proof;
    status_arguments status;
    health_arguments health;
    models_arguments models;
    account_arguments account;
    aitbc_arguments aitbc;
    std::function<command_arguments()> chosen;  ///< Takes out the arguments of the command that was given.

    parsed_options() = default;
    parsed_options(const parsed_options&) = delete;
    parsed_options& operator=(const parsed_options&) = delete;
};

/// Adds every command, with its options, its help and the object that it is read into.
void add_commands(CLI::App& app, parsed_options& into);

}  // namespace vembed::cli
