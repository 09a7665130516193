#include <cstdio>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include <vembed/core/result.hpp>

#include "cli/commands/commands.hpp"
#include "cli/terminal/descriptor_limit.hpp"
#include "cli_aitbc/commands.hpp"
#include "cli_parts/interrupts.hpp"
#include "cli_parts/standard_descriptors.hpp"
#include "folder/other_folders.hpp"
#include "text/text_format.hpp"

namespace {

using namespace vembed::cli;
using vembed::result;

/// Calls the command that the arguments belong to.
class dispatcher {
public:
    explicit dispatcher(command_context context) : context_(context) {}
    exit_code operator()(const embed_arguments& a) const { return run_embed(context_, a); }
    exit_code operator()(const plan_arguments& a) const { return run_plan(context_, a); }
    exit_code operator()(const attest_arguments& a) const { return run_attest(context_, a); }
    exit_code operator()(const verify_arguments& a) const { return run_verify(context_, a); }
    exit_code operator()(const serve_arguments& a) const { return run_serve(context_, a); }
    exit_code operator()(const job_arguments& a) const { return run_job(context_, a); }
    exit_code operator()(const receipt_arguments& a) const { return run_receipt(context_, a); }
    exit_code operator()(const status_arguments& a) const { return run_status(context_, a); }
    exit_code operator()(const export_arguments& a) const { return run_export(context_, a); }
    exit_code operator()(const prove_arguments& a) const { return run_prove(context_, a); }
    exit_code operator()(const check_proof_arguments& a) const { return run_check_proof(context_, a); }
    exit_code operator()(const health_arguments&) const { return run_health(context_); }
    exit_code operator()(const models_arguments&) const { return run_models(context_); }
    exit_code operator()(const account_arguments&) const { return run_account(context_); }
    exit_code operator()(const keys_arguments& a) const { return run_keys(context_, a); }
    exit_code operator()(const aitbc_arguments& a) const { return run_aitbc(context_, a); }

private:
    command_context context_;
};

/// Checks whether the files that a command is to write may be written, if the user named them.
class output_check {
public:
    explicit output_check(const service_access& access) : inputs_({access.api_key_file, access.ca_file}) {}

    result<void> operator()(const embed_arguments& a) {
        read(a.corpus.inputs);
        return check({a.pins_file});
    }
    result<void> operator()(const attest_arguments& a) {
        read(a.corpus.inputs);
        read({a.options.npy_file, a.spec_file});
        return check({a.options.output_file, a.options.output_file + ".sent", a.pins_file});
    }
    result<void> operator()(const verify_arguments& a) { return check({a.learn_pins ? a.pins_file : ""}); }
    result<void> operator()(const job_arguments& a) { return check({a.file}); }
    result<void> operator()(const export_arguments& a) {
        const std::string& file = a.options.file;
        return check({file, a.options.skip_failed ? file + ".ids.jsonl" : ""});
    }
    result<void> operator()(const prove_arguments& a) {
        read({a.pins_file});
        return check({a.file});
    }
    result<void> operator()(const keys_arguments& a) { return check({a.save_file}); }
    result<void> operator()(const aitbc_arguments& a) {
        read({a.input_file});
        return check({a.file});
    }
    // These commands write no file that the user names. Each is listed, so that a new command cannot be forgotten here.
    result<void> operator()(const plan_arguments&) { return {}; }
    result<void> operator()(const serve_arguments&) { return {}; }
    result<void> operator()(const receipt_arguments&) { return {}; }
    result<void> operator()(const status_arguments&) { return {}; }
    result<void> operator()(const check_proof_arguments&) { return {}; }
    result<void> operator()(const health_arguments&) { return {}; }
    result<void> operator()(const models_arguments&) { return {}; }
    result<void> operator()(const account_arguments&) { return {}; }

private:
    void read(const std::vector<std::string>& files) { inputs_.insert(inputs_.end(), files.begin(), files.end()); }

    [[nodiscard]] result<void> check(const std::vector<std::string>& files) const {
        for (const std::string& file : files) {
            if (auto checked = vembed::folder::check_output_file(file, inputs_); !checked) {
                return checked;
            }
        }
        return {};
    }

    std::vector<std::string> inputs_;
};

exit_code run(const command_line& line) {
    console out(line.output.json, line.output.quiet);
    exit_code code = exit_code::error;
    raise_descriptor_limit();
    try {
        const interrupt_watch watch;
        if (const auto writable = std::visit(output_check(line.access), line.command); !writable) {
            return give_up(out, writable.error());
        }
        code = std::visit(dispatcher(command_context{out, line.access, line.output}), line.command);
    } catch (const std::exception& error) {
        out.fail(vembed::error(vembed::errc::callback_failed, error.what()));
        return exit_code::error;
    }
    if (!out.finish()) {
        out.fail(vembed::error(vembed::errc::io,
                               "standard output could not be written: is its reader gone, or its "
                               "disk full?"));
        return code == exit_code::done ? exit_code::error : code;
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    open_standard_descriptors();
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    const auto parsed = parse_command_line(arguments);
    if (const auto* exit = std::get_if<early_exit>(&parsed)) {
        std::fputs(exit->out.c_str(), stdout);
        std::fputs(exit->err.c_str(), stderr);
        const bool written = std::fflush(stdout) == 0;
        return static_cast<int>(written ? exit->code : exit_code::error);
    }
    return static_cast<int>(run(std::get<command_line>(parsed)));
}
