#include <array>
#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/folder_verification.hpp"
#include "cli/json_report.hpp"
#include "cli/session.hpp"
#include "cli/text_format.hpp"

namespace vembed::cli {
namespace {

boost::json::object check_object(const check_tally& check) {
    boost::json::object out;
    out["name"] = check.name;
    out["answer"] = to_string(check.answer());
    out["basis"] = check.basis;
    out["required"] = check.required;
    out["unit"] = check.unit;
    out["verified"] = check.verified;
    out["failed"] = check.failed;
    out["not_checkable"] = check.not_checkable;
    boost::json::array findings;
    for (const std::string& finding : check.findings) {
        findings.emplace_back(json_string(finding));
    }
    out["findings"] = std::move(findings);
    if (!check.reason.empty()) {
        out["reason"] = json_string(check.reason);
    }
    return out;
}

void print_check(console& out, const check_tally& check) {
    std::array<char, 160> head{};
    std::snprintf(head.data(), head.size(), "%-14s %-25s %-24s ", std::string(to_string(check.answer())).c_str(),
                  check.name.c_str(), check.basis.c_str());
    const std::uint64_t all = check.verified + check.failed + check.not_checkable;
    std::string line = head.data() + grouped(check.verified) + " of " + grouped(all) + " " + check.unit;
    if (check.not_checkable > 0) {
        line += " (" + printable(check.reason) + ")";
    }
    out.print(line);
    for (const std::string& finding : check.findings) {
        out.print("    " + printable(finding));
    }
    if (check.failed > check.findings.size()) {
        out.print("    … and " + grouped(check.failed - check.findings.size()) + " more");
    }
}

void print_report(console& out, const folder_report& report) {
    for (const check_tally& check : report.checks) {
        if (out.json()) {
            out.print_object("check", check_object(check));
        } else {
            print_check(out, check);
        }
    }
}

/// Asks the service about each receipt. Where it cannot answer one, the others are not asked for: each would take as
/// long.
result<check_tally> ask_service(session& with, const std::vector<std::string>& receipt_ids) {
    check_tally tally("service asked now", "specified", "receipts", true);
    for (std::size_t i = 0; i < receipt_ids.size(); ++i) {
        const auto answer = with.run(with.client().verify_receipt(receipt_ids[i], with.cancellable()));
        if (answer) {
            tally.pass();
            continue;
        }
        const failure& why = answer.error();
        switch (why.kind) {
            case errc::verification_failed: tally.fail("receipt " + receipt_ids[i] + ": " + why.message); break;
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
boost::system::result<check_tally, command_failure> check_online(const command_context& context,
                                                                 const std::string& recorded,
                                                                 const std::vector<std::string>& receipt_ids) {
    auto with = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!with) {
        return with.error();
    }
    const std::string base_url = (*with)->client().base_url();
    if (!recorded.empty() && recorded != base_url) {
        return command_failure(failure(errc::invalid_argument, "the folder's receipts are of " + recorded +
                                                                   ", not of " + base_url +
                                                                   ": give --base-url or set CYBERIAN_BASE_URL"));
    }
    auto tally = ask_service(**with, receipt_ids);
    if (!tally) {
        return command_failure(tally.error());
    }
    return std::move(*tally);
}

exit_code judge(const folder_report& report) {
    bool left = false;
    for (const check_tally& check : report.checks) {
        if (check.answer() == check_answer::failed) {
            return exit_code::verification_failed;
        }
        left = left || (check.required && check.answer() == check_answer::not_checkable);
    }
    if (!report.complete) {
        return exit_code::unfinished;
    }
    return left ? exit_code::not_checkable : exit_code::done;
}

void print_summary(console& out, const folder_report& report, exit_code code) {
    if (out.json()) {
        boost::json::object summary;
        summary["complete"] = report.complete;
        summary["rows"] = report.rows;
        summary["dimensions"] = report.dimensions;
        summary["jobs"] = report.jobs;
        summary["chunks"] = report.chunks;
        summary["chunks_sampled"] = report.chunks_sampled;
        summary["rows_in_receipts"] = report.rows_in_receipts;
        summary["rows_copied"] = report.rows_copied;
        summary["rows_cached"] = report.rows_cached;
        summary["receipts_signed"] = false;
        summary["exit_code"] = static_cast<int>(code);
        out.print_object("verification", std::move(summary));
        return;
    }
    if (!report.complete) {
        out.print("The run is unfinished: run the same `vembed embed` again.");
    }
    if (report.rows_copied + report.rows_cached > 0) {
        out.print("Receipts cover " + grouped(report.rows_in_receipts) + " of " + grouped(report.rows) + " rows; " +
                  grouped(report.rows_copied) + " are copies of rows with the same text" +
                  (report.rows_copied_from_cached > 0
                       ? " (" + grouped(report.rows_copied_from_cached) + " of them of rows from the cache)"
                       : "") +
                  ", " + grouped(report.rows_cached) + " came from the cache: their receipts are with the runs that " +
                  "bought them.");
    }
    if (report.chunks == 0) {
        return;
    }
    out.print("The service re-executed " + grouped(report.chunks_sampled) + " of " + grouped(report.chunks) +
              " chunks (its sample); for the other " + grouped(report.chunks - report.chunks_sampled) +
              " nothing here shows how they were computed.");
    out.print("Receipts are not signed: they show that the rows are the attested ones, not who attested them.");
}

}  // namespace

exit_code run_verify(const command_context& context, const verify_arguments& arguments) {
    auto report = verify_folder(arguments.folder);
    if (!report) {
        return give_up(context.out, report.error());
    }
    if (arguments.online) {
        const auto recorded = read_manifest(arguments.folder);
        const std::string service = recorded && *recorded ? (*recorded)->service : std::string();
        auto online = check_online(context, service, report->receipt_ids);
        if (!online) {
            context.out.fail(online.error().reason);
            return online.error().code;
        }
        report->checks.push_back(std::move(*online));
    }
    print_report(context.out, *report);
    const exit_code code = judge(*report);
    print_summary(context.out, *report, code);
    return code;
}

}  // namespace vembed::cli
