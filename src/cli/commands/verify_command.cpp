#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <vembed/audit/verify_folder.hpp>
#include <vembed/client/pins_file.hpp>

#include "audit/report/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli_parts/interrupts.hpp"

namespace vembed::cli {
namespace {

exit_code code_of(const folder_report& report) {
    // If the service cannot be reached, its check is not made; the offline checks still count.
    const std::optional<error>& asking = report.asking_ended_by;
    const check_verdict verdict = report.judgement.verdict;
    if (verdict == check_verdict::failed) {
        return exit_code_of(verdict);
    }
    // If the caller can fix what ended the asking, it has an exit status of its own.
    if (asking && asking->kind != errc::network && exit_code_of(*asking) != exit_code::error) {
        return exit_code_of(*asking);
    }
    return report.complete ? exit_code_of(verdict) : exit_code::unfinished;
}

/// Keeps the schemes of the folder's receipts as pins, and says so.
result<void> learn(console& out, const std::string& file, const folder_report& report) {
    const auto account = report.learnable_account();
    if (!account) {
        out.warn("nothing was learned: {}", account.error().message);
        return {};
    }
    if (const auto kept = add_to_pins_file(file, *account, report.pins); !kept) {
        return kept.error();
    }
    out.say("what the receipts of account {} follow is kept in {}", report.recorded->account_id, file);
    return {};
}

/// What is known about accounts' schemes, and where it comes from.
result<verify_folder_options> read_known(const verify_arguments& arguments) {
    verify_folder_options options;
    options.required = arguments.required;
    options.row_hashes = arguments.row_hashes;
    options.stop = interrupt_token();
    options.known_from = arguments.pins_file.empty() ? usual_pins_file() : arguments.pins_file;
    if (options.known_from.empty() && arguments.learn_pins) {
        return error(errc::invalid_argument,
                     "--learn-pins needs --pins FILE: neither XDG_STATE_HOME nor HOME is an absolute path");
    }
    if (options.known_from.empty()) {
        return options;
    }
    // A file that was named and does not exist must not pass for one that knows nothing.
    const bool must_exist = !arguments.pins_file.empty() && !arguments.learn_pins;
    auto known = read_pins_file(options.known_from, must_exist);
    if (!known) {
        return known.error();
    }
    options.known = std::move(*known);
    return options;
}

receipt_service service_of(session& with) {
    receipt_service service;
    service.base_url = with.client().base_url();
    service.get_receipt = [&with](const std::string& id) {
        return with.run(with.client().get_receipt(id, with.cancellable()));
    };
    service.verify_receipt = [&with](const std::string& id) {
        return with.run(with.client().verify_receipt(id, with.cancellable()));
    };
    return service;
}

void print(console& out, const folder_report& report, exit_code code) {
    if (!out.json()) {
        out.write_data(report.text());
        return;
    }
    for (const check_tally& check : report.checks) {
        if (check.spoken_of()) {
            out.print_object("check", audit::json_of(check));
        }
    }
    boost::json::object summary = audit::json_of(report);
    summary["exit_code"] = static_cast<int>(code);
    out.print_object("verification", std::move(summary));
}

}  // namespace

exit_code run_verify(const command_context& context, const verify_arguments& arguments) {
    auto options = read_known(arguments);
    if (!options) {
        return give_up(context.out, options.error());
    }
    std::unique_ptr<session> with;
    if (arguments.online) {
        auto opened = session::open(context.access, make_console_environment(context.out, context.output.level));
        if (!opened) {
            return give_up(context.out, opened.error());
        }
        with = std::move(*opened);
        options->service = service_of(*with);
    }
    const auto report = verify_folder(arguments.folder, *options);
    if (!report) {
        return give_up(context.out, report.error());
    }
    const exit_code code = code_of(*report);
    print(context.out, *report, code);
    if (report->asking_ended_by) {
        context.out.fail(*report->asking_ended_by);
    }
    if (arguments.learn_pins) {
        if (auto kept = learn(context.out, options->known_from, *report); !kept) {
            return give_up(context.out, kept.error());
        }
    }
    return code;
}

}  // namespace vembed::cli
