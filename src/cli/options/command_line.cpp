#include "cli/options/command_line.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <vembed/audit/check_tally.hpp>

#include "cli/options/command_options.hpp"
#include "cli/options/help_text.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

/// Sets the default model. Returns which options do not go together; empty if all is well.
std::string settle(parsed_options& options) {
    for (const auto* inputs : {&options.embed.corpus.inputs, &options.plan.corpus.inputs, &options.attest.corpus.inputs,
                               &options.job.corpus.inputs, &options.receipt.corpus.inputs}) {
        if (std::count(inputs->begin(), inputs->end(), "-") > 1) {
            return "- (standard input) can be given once";
        }
    }
    for (auto [model, spec_file] : {std::pair(&options.embed.run.bulk.model, &options.embed.spec_file),
                                    std::pair(&options.plan.options.model, &options.plan.spec_file),
                                    std::pair(&options.attest.options.model, &options.attest.spec_file),
                                    std::pair(&options.job.model, &options.job.spec_file)}) {
        if (model->empty() && spec_file->empty()) {
            *model = default_model;
        }
    }
    std::vector<std::string> checks = folder_check_names();
    checks.emplace_back("all");
    for (const std::string& name : options.verify.required) {
        if (std::find(checks.begin(), checks.end(), name) == checks.end()) {
            return "--require " + name + ": there is no check of that name; `vembed verify --help` lists them";
        }
        if (name == online_check && !options.verify.online) {
            return "--require " + name + ": only the service can make that check, add --online";
        }
    }
    const bool resubmit = options.embed.run.bulk.on_unknown == unknown_policy::resubmit;
    if (resubmit != (options.embed.run.bulk.max_extra_chunks > 0)) {
        return "--on-unknown resubmit and --max-extra-chunks N (above 0) go together: batches in doubt may be charged "
               "twice, and N says how much of that is acceptable";
    }
    return {};
}

early_exit usage_error(const std::string& message, const std::string& command) {
    early_exit exit;
    exit.code = exit_code::usage;
    exit.err = "vembed: " + text::printable_lines(message) + "\nTry: vembed " + command + (command.empty() ? "" : " ") +
               "--help\n";
    return exit;
}

// Makes `vembed help embed` the same as `vembed embed --help`.
std::vector<std::string> with_help_as_option(std::vector<std::string> arguments) {
    if (!arguments.empty() && arguments.front() == "help") {
        arguments.erase(arguments.begin());
        arguments.emplace_back("--help");
    }
    return arguments;
}

// Each word after `help` must be a command of the one before it; CLI11 would say nothing about a word that is not.
std::optional<early_exit> refuse_unknown_topic(CLI::App& app, const std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments.front() != "help") {
        return std::nullopt;
    }
    const CLI::App* at = &app;
    std::string path;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "-h" || word == "--help") {
            continue;
        }
        const auto is_it = [&word](const CLI::App* one) { return !word.empty() && one->get_name() == word; };
        const auto found = at->get_subcommands(is_it);
        if (found.empty()) {
            const std::string parent = path.empty() ? "" : path.substr(0, path.size() - 1);
            return usage_error("there is no command " + path.append(word), parent);
        }
        at = found.front();
        path += word + " ";
    }
    return std::nullopt;
}

bool names_a_key(const std::string& argument) {
    return argument == "--api-key" || argument.starts_with("--api-key=");
}

// CLI11 reports the missing command or argument first, so the misspelt word that should have been it is added.
std::string what_is_wrong(const CLI::ParseError& error, const std::vector<std::string>& not_understood) {
    std::string message = error.what();
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) && !not_understood.empty()) {
        message += "; not understood: " + not_understood.front();
    }
    return message;
}

}  // namespace

std::variant<command_line, early_exit> parse_command_line(const std::vector<std::string>& arguments) {
    if (std::any_of(arguments.begin(), arguments.end(), names_a_key)) {
        early_exit exit;
        exit.code = exit_code::usage;
        exit.err = api_key_refusal;
        return exit;
    }
    CLI::App app(program_description, "vembed");
    parsed_options options;
    options.embed.run.command = arguments;
    app.set_version_flag("--version", std::string("vembed ") + VEMBED_VERSION, "Say the version and exit");
    app.require_subcommand(1);
    app.get_formatter()->column_width(30);
    add_commands(app, options);
    if (auto refused = refuse_unknown_topic(app, arguments)) {
        return std::move(*refused);
    }
    try {
        std::vector<std::string> reversed = with_help_as_option(arguments);
        std::reverse(reversed.begin(), reversed.end());
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const auto asked = app.get_subcommands();
        const std::vector<std::string> not_understood = app.remaining(true);
        if (app.exit(error, out, err) == 0) {
            if (asked.empty() && !not_understood.empty()) {
                return usage_error("there is no command " + not_understood.front(), "");
            }
            early_exit exit;
            exit.out = out.str();
            return exit;
        }
        return usage_error(what_is_wrong(error, not_understood), asked.empty() ? "" : asked.front()->get_name());
    }
    if (const std::string wrong = settle(options); !wrong.empty()) {
        return usage_error(wrong, app.get_subcommands().front()->get_name());
    }
    command_line line;
    line.command = options.chosen();
    line.output = options.output;
    line.access = std::move(options.access);
    return line;
}

}  // namespace vembed::cli
