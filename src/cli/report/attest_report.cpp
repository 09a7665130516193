#include "cli/report/attest_report.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include <vembed/verify/offline_check.hpp>

#include "text/json/described_json.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed {

BOOST_DESCRIBE_STRUCT(attest_report, (),
                      (rows_total, rows_attested, rows_attested_before, rows_rejected, rows_unverified, rows_timed_out,
                       rows_unknown, rows_refused, rows_blank, requests, rows_per_request, stopped))

namespace cli {
namespace {

namespace json = boost::json;

std::string rows_text(const row_claim& claim) {
    return claim.end - claim.first == 1 ? "row " + std::to_string(claim.first)
                                        : "rows " + std::to_string(claim.first) + "-" + std::to_string(claim.end - 1);
}

std::string basis_of(const check_count& check) {
    return check.basis.empty() ? "none" : check.basis;
}

// The advice for a person.
std::string_view advice(claim_outcome outcome) {
    switch (outcome) {
        case claim_outcome::attested: return "";
        case claim_outcome::rejected: return "the service computes something else";
        case claim_outcome::unverified: return "the receipt cannot be relied on";
        case claim_outcome::timed_out: return "the same command asks again";
        case claim_outcome::unknown: return "may be attested and charged; --retry-unknown asks again";
        case claim_outcome::refused: return "the service does not take it";
    }
    return "";
}

void tell_remarkable(console& out, const attest_report& report) {
    for (const claim_record& record : report.not_attested) {
        std::string line = "  " + rows_text(record.claim) + " " + std::string(to_string(record.outcome)) + " (" +
                           std::string(advice(record.outcome)) + ")";
        line += record.job_id.empty() ? "" : ", job " + text::printable(record.job_id);
        line += record.reason.empty() ? "" : ": " + text::printable(record.reason);
        out.warn(line);
    }
    for (const unfit_row& row : report.unfit) {
        out.warn("  row " + std::to_string(row.row) + " not sent: " + text::printable(row.why));
    }
}

void tell_checks(console& out, const attest_report& report) {
    for (const check_count& check : report.checks) {
        const std::uint64_t all = check.verified + check.failed + check.not_checkable;
        if (check.verified + check.failed > 0) {
            out.say("  " + check.name + ": verified in " + text::grouped(check.verified) + " of " +
                    text::counted(all, "receipt", "receipts") + " (" + basis_of(check) + ")");
        }
    }
}

}  // namespace

exit_code exit_code_of(const attest_report& report) noexcept {
    const exit_code ended = report.ended_by ? exit_code_of(*report.ended_by) : exit_code::done;
    if (ended != exit_code::done && ended != exit_code::unfinished) {
        return ended;
    }
    if (report.rows_rejected + report.rows_unverified > 0) {
        return exit_code::verification_failed;
    }
    if (ended == exit_code::unfinished || report.stopped || report.rows_timed_out + report.rows_unknown > 0) {
        return exit_code::unfinished;
    }
    return report.rows_refused > 0 ? exit_code::rows_failed : exit_code::done;
}

std::string progress_line(const attest_report& report) {
    const std::uint64_t settled = report.rows_settled();
    std::string line = text::grouped(settled) + "/" + text::grouped(report.rows_total) + " rows " +
                       std::to_string(settled * 100 / std::max<std::uint64_t>(report.rows_total, 1)) + "% | " +
                       text::grouped(report.rows_attested) + " attested | " +
                       std::to_string(report.requests_under_way) + " under way";
    if (report.rows_rejected + report.rows_unverified > 0) {
        line += " | " + text::grouped(report.rows_rejected + report.rows_unverified) + " rejected";
    }
    return line;
}

boost::json::object report_object(const attest_report& report) {
    json::object object = text::described(report);
    json::array claims;
    for (const claim_record& record : report.not_attested) {
        json::object claim;
        claim["rows"] = json::array{record.claim.first, record.claim.end};
        claim["outcome"] = to_string(record.outcome);
        claim["job_id"] = text::json_string(record.job_id);
        claim["reason"] = text::json_string(record.reason);
        claims.push_back(std::move(claim));
    }
    object["not_attested"] = std::move(claims);
    json::object checks;
    for (const check_count& check : report.checks) {
        json::object one;
        one["verified"] = check.verified;
        one["failed"] = check.failed;
        one["not_checkable"] = check.not_checkable;
        one["basis"] = basis_of(check);
        checks[check.name] = std::move(one);
    }
    object["checks"] = std::move(checks);
    object["origin"] = origin_line;
    return object;
}

void tell_end(console& out, const attest_report& report, const std::string& file) {
    std::string line =
        text::grouped(report.rows_attested) + " of " + text::grouped(report.rows_total) + " rows attested";
    if (report.rows_attested_before > 0) {
        line += " (" + text::grouped(report.rows_attested_before) + " of them before)";
    }
    line += ", in " + file;
    const bool some_not_attested = report.rows_rejected + report.rows_unverified + report.rows_timed_out +
                                       report.rows_unknown + report.rows_refused >
                                   0;
    some_not_attested || report.stopped ? out.warn(line) : out.say(line);
    if (report.rows_blank > 0) {
        out.say(text::counted(report.rows_blank, "blank line has", "blank lines have") + " no text to attest");
    }
    if (some_not_attested) {
        out.warn(text::grouped(report.rows_rejected) + " rejected, " + text::grouped(report.rows_unverified) +
                 " unverified, " + text::grouped(report.rows_timed_out) + " timed out, " +
                 text::grouped(report.rows_unknown) + " unknown, " + text::grouped(report.rows_refused) +
                 " refused or not sent:");
        tell_remarkable(out, report);
    }
    tell_checks(out, report);
    // If the output file, or what it is about, is wrong, the next run finds it wrong too.
    const bool file_wrong = report.ended_by && (report.ended_by->kind == errc::verification_failed ||
                                                report.ended_by->kind == errc::folder_mismatch);
    if (report.stopped) {
        out.warn("stopped: the same command goes on where this one ended");
    } else if (report.ended_by && !file_wrong) {
        out.say("the same command goes on where this one ended");
    }
    out.say("that the service ran the model again is its word: POST /verify does not list which chunks it re-executed");
    out.say(std::string(origin_line));
}

}  // namespace cli
}  // namespace vembed
