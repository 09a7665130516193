#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.hpp"
#include "cli/folder_verification.hpp"
#include "cli/session.hpp"
#include "cli/verification_page.hpp"
#include "client/pins_file.hpp"

namespace vembed::cli {
namespace {

/// Asks the service about each receipt. Where it cannot answer one, the others are not asked for: each would take as
/// long.
result<check_tally> ask_service(session& with, const std::vector<std::string>& receipt_ids) {
    check_tally tally("service_check_now", "specified", "receipts", "the service itself calls the receipt valid now");
    tally.required = true;
    for (std::size_t i = 0; i < receipt_ids.size(); ++i) {
        const auto answer = with.run(with.client().verify_receipt(receipt_ids[i], with.cancellable()));
        if (answer) {
            tally.pass();
            continue;
        }
        const failure& why = answer.error();
        check_finding found("receipt " + receipt_ids[i] + ": " + why.message);
        found.receipt_id = receipt_ids[i];
        switch (why.kind) {
            case errc::verification_failed: tally.fail(std::move(found)); break;
            case errc::not_found: tally.leave("the service does not know a receipt"); break;
            case errc::unauthorized:
            case errc::cancelled:
            case errc::invalid_argument: return why;
            default: tally.leave(why.describe(), receipt_ids.size() - i); return tally;
        }
    }
    return tally;
}

/// `recorded` is where the receipts came from; the key is not sent to an address that a file names.
boost::system::result<check_tally, command_failure> check_online(session& with, const std::string& recorded,
                                                                 const std::vector<std::string>& receipt_ids) {
    const std::string base_url = with.client().base_url();
    if (!recorded.empty() && recorded != base_url) {
        return command_failure(failure(errc::invalid_argument, "the folder's receipts are of " + recorded +
                                                                   ", not of " + base_url +
                                                                   ": give --base-url or set CYBERIAN_BASE_URL"));
    }
    auto tally = ask_service(with, receipt_ids);
    if (!tally) {
        return command_failure(tally.error());
    }
    return std::move(*tally);
}

exit_code code_of(const overall_judgement& judgement, bool complete) {
    if (judgement.verdict == overall_verdict::failed) {
        return exit_code::verification_failed;
    }
    if (!complete) {
        return exit_code::unfinished;
    }
    return judgement.verdict == overall_verdict::verified ? exit_code::done : exit_code::not_checkable;
}

/// Keeps what the folder's receipts follow; says so.
result<void> learn(console& out, const std::string& file, const folder_report& report,
                   const overall_judgement& judgement) {
    if (judgement.verdict == overall_verdict::failed) {
        out.say("nothing was learned: something failed");
        return {};
    }
    if (!report.recorded || report.recorded->account_id.empty()) {
        out.say("nothing was learned: the folder does not say which account its receipts are of");
        return {};
    }
    const manifest& recorded = *report.recorded;
    const auto kept =
        detail::add_to_pins_file(file, detail::pins_key(recorded.service, recorded.account_id), report.pins);
    if (!kept) {
        return kept.error();
    }
    out.say("what the receipts of account " + recorded.account_id + " follow is kept in " + file);
    return {};
}

/// What is known of accounts' schemes, and from where.
result<verification_options> read_known(const verify_arguments& arguments) {
    verification_options options;
    options.row_hashes = arguments.row_hashes;
    options.known_from = arguments.pins_file.empty() ? usual_pins_file() : arguments.pins_file;
    if (options.known_from.empty()) {
        return arguments.learn_pins
                   ? result<verification_options>(failure(errc::invalid_argument,
                                                          "--learn-pins needs --pins FILE: neither XDG_STATE_HOME nor "
                                                          "HOME is an absolute path"))
                   : result<verification_options>(std::move(options));
    }
    // A file that was named and is not there must not pass for one that knows nothing.
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
    const auto options = read_known(arguments);
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
    auto report = verify_folder(arguments.folder, *options);
    if (!report) {
        return give_up(context.out, report.error());
    }
    page_context about;
    about.folder = arguments.folder;
    about.pins_from = options->known_from;
    about.unfinished = !report->complete;
    if (with) {
        about.service = with->client().base_url();
        const std::string recorded = report->recorded ? report->recorded->service : std::string();
        auto online = check_online(*with, recorded, report->receipt_ids);
        if (!online) {
            context.out.fail(online.error().reason);
            return online.error().code;
        }
        report->checks.insert(report->checks.end() - 1, std::move(*online));
    }
    require(report->checks, arguments.required);
    const overall_judgement judgement = judge(report->checks);
    const exit_code code = code_of(judgement, report->complete);
    print_verification(context.out, about, *report, judgement, code);
    if (arguments.learn_pins) {
        if (auto kept = learn(context.out, options->known_from, *report, judgement); !kept) {
            return give_up(context.out, kept.error());
        }
    }
    return code;
}

}  // namespace vembed::cli
