#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "audit/folder_verification.hpp"
#include "audit/receipt_comparison.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/report/verification_page.hpp"
#include "cli/terminal/interrupts.hpp"
#include "client/account/pins_file.hpp"

namespace vembed::cli {
namespace {

/// The result of asking the service.
class online_answer {
public:
    audit::check_tally check{audit::online_check, "specified", "receipts",
                             "the service has the very receipt, and itself calls it valid now"};
    std::optional<error> ended_by;  ///< Why the service was not asked about the other receipts.

    online_answer() { check.required = true; }
};

/// Records a response that is not "valid". An error that is not about this receipt is returned: asking about the others
/// would be no use.
result<void> file_refusal(const error& why, audit::check_finding about, audit::check_tally& to) {
    switch (why.kind) {
        case errc::verification_failed:
            about.what += ": " + why.message;
            to.fail(std::move(about));
            return {};
        case errc::not_found:
        case errc::invalid_argument:
            to.leave(about.what + ": " + (why.kind == errc::not_found ? "the service does not have it" : why.message));
            return {};
        default: return why;
    }
}

/// A receipt that the service calls valid proves nothing if the folder has another one under its name.
result<void> ask_about(session& with, const receipt& kept, audit::check_tally& to) {
    audit::check_finding found("receipt " + kept.receipt_id + " of job " + kept.job_id);
    found.receipt_id = kept.receipt_id;
    found.job_id = kept.job_id;
    const auto served = with.run(with.client().get_receipt(kept.receipt_id, with.cancellable()));
    if (!served) {
        return file_refusal(served.error(), std::move(found), to);
    }
    if (const auto differing = audit::differing_fields(kept, *served); !differing.empty()) {
        found.what += ": the service has another one, which differs in ";
        for (std::size_t i = 0; i < differing.size(); ++i) {
            found.what += (i == 0 ? "" : ", ") + std::string(differing[i]);
        }
        to.fail(std::move(found));
        return {};
    }
    const auto valid = with.run(with.client().verify_receipt(kept.receipt_id, with.cancellable()));
    if (!valid) {
        return file_refusal(valid.error(), std::move(found), to);
    }
    to.pass();
    return {};
}

/// Asks the service about each receipt. If it cannot answer for one, it is not asked about the others: each would take
/// as long.
online_answer ask_service(session& with, const audit::folder_report& report) {
    online_answer out;
    for (std::size_t i = 0; i < report.receipts.size(); ++i) {
        if (const auto asked = ask_about(with, report.receipts[i], out.check); !asked) {
            out.check.leave(asked.error().describe(), report.receipts.size() - i);
            out.ended_by = asked.error();
            break;
        }
    }
    if (report.jobs > report.receipts.size()) {
        out.check.leave("the folder has no receipt of the job", report.jobs - report.receipts.size());
    }
    return out;
}

/// `asking` is why the service was asked no further. If the caller can fix it, it has an exit status of its own.
exit_code code_of(const audit::overall_judgement& judgement, bool complete, const std::optional<error>& asking) {
    if (judgement.verdict == audit::overall_verdict::failed) {
        return exit_code::verification_failed;
    }
    // If the service cannot be reached, its check is not made; the offline checks still count.
    if (asking && asking->kind != errc::network && exit_code_of(*asking) != exit_code::error) {
        return exit_code_of(*asking);
    }
    if (!complete) {
        return exit_code::unfinished;
    }
    return judgement.verdict == audit::overall_verdict::verified ? exit_code::done : exit_code::not_checkable;
}

/// Keeps the schemes of the folder's receipts as pins, and says so.
result<void> learn(console& out, const std::string& file, const audit::folder_report& report,
                   const audit::overall_judgement& judgement) {
    if (judgement.verdict == audit::overall_verdict::failed) {
        out.warn("nothing was learned: something failed");
        return {};
    }
    if (!report.recorded || report.recorded->account_id.empty()) {
        out.warn("nothing was learned: the folder does not say which account its receipts are of");
        return {};
    }
    const folder::manifest& recorded = *report.recorded;
    const auto kept =
        detail::add_to_pins_file(file, detail::pins_key(recorded.service, recorded.account_id), report.pins);
    if (!kept) {
        return kept.error();
    }
    out.say("what the receipts of account " + recorded.account_id + " follow is kept in " + file);
    return {};
}

/// What is known about accounts' schemes, and where it comes from.
result<audit::verification_options> read_known(const verify_arguments& arguments) {
    audit::verification_options options;
    options.row_hashes = arguments.row_hashes;
    options.known_from = arguments.pins_file.empty() ? usual_pins_file() : arguments.pins_file;
    if (options.known_from.empty()) {
        return arguments.learn_pins ? result<audit::verification_options>(
                                          error(errc::invalid_argument,
                                                "--learn-pins needs --pins FILE: neither XDG_STATE_HOME nor "
                                                "HOME is an absolute path"))
                                    : result<audit::verification_options>(std::move(options));
    }
    // A file that was named and does not exist must not pass for one that knows nothing.
    const bool must_exist = !arguments.pins_file.empty() && !arguments.learn_pins;
    auto known = detail::read_pins_file(options.known_from, must_exist);
    if (!known) {
        return known.error();
    }
    options.known = std::move(*known);
    return options;
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
            context.out.fail(opened.error().reason);
            return opened.error().code;
        }
        with = std::move(*opened);
    }
    if (with) {
        options->service = with->client().base_url();
    }
    options->stop = interrupt_token();
    auto report = audit::verify_folder(arguments.folder, *options);
    if (!report) {
        return give_up(context.out, report.error());
    }
    std::optional<error> asking;
    if (with) {
        online_answer answer = ask_service(*with, *report);
        asking = std::move(answer.ended_by);
        report->checks.insert(report->checks.end() - 1, std::move(answer.check));
    }
    audit::require(report->checks, arguments.required);
    const audit::overall_judgement judgement = audit::judge(report->checks);
    const exit_code code = code_of(judgement, report->complete, asking);
    page_context about;
    about.folder = arguments.folder;
    about.pins_from = options->known_from;
    about.service = options->service;
    about.unfinished = !report->complete;
    print_verification(context.out, about, *report, judgement, code);
    if (asking) {
        context.out.fail(*asking);
    }
    if (arguments.learn_pins) {
        if (auto kept = learn(context.out, options->known_from, *report, judgement); !kept) {
            return give_up(context.out, kept.error());
        }
    }
    return code;
}

}  // namespace vembed::cli
