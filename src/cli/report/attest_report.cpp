#include "cli/report/attest_report.hpp"

#include <algorithm>

#include <fmt/core.h>
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
    return claim.end - claim.first == 1 ? fmt::format("row {}", claim.first)
                                        : fmt::format("rows {}-{}", claim.first, claim.end - 1);
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
        out.warn("  {} {} ({}){}{}", rows_text(record.claim), to_string(record.outcome), advice(record.outcome),
                 record.job_id.empty() ? "" : ", job " + text::printable(record.job_id),
                 record.reason.empty() ? "" : ": " + text::printable(record.reason));
    }
    for (const unfit_row& row : report.unfit) {
        out.warn("  row {} not sent: {}", row.row, text::printable(row.why));
    }
}

void tell_checks(console& out, const attest_report& report) {
    for (const check_count& check : report.checks) {
        const std::uint64_t all = check.verified + check.failed + check.not_checkable;
        if (check.verified + check.failed > 0) {
            out.say("  {}: verified in {} of {} ({})", check.name, text::grouped(check.verified),
                    text::counted(all, "receipt", "receipts"), basis_of(check));
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
    const std::uint64_t rejected = report.rows_rejected + report.rows_unverified;
    return fmt::format("{}/{} rows {}% | {} attested | {} under way{}", text::grouped(settled),
                       text::grouped(report.rows_total), settled * 100 / std::max<std::uint64_t>(report.rows_total, 1),
                       text::grouped(report.rows_attested), report.requests_under_way,
                       rejected == 0 ? "" : " | " + text::grouped(rejected) + " rejected");
}

boost::json::object report_object(const attest_report& report) {
    json::object object = text::described(report);
    json::array claims;
    for (const claim_record& record : report.not_attested) {
        claims.push_back({{"rows", json::array{record.claim.first, record.claim.end}},
                          {"outcome", to_string(record.outcome)},
                          {"job_id", text::json_string(record.job_id)},
                          {"reason", text::json_string(record.reason)}});
    }
    object["not_attested"] = std::move(claims);
    json::object checks;
    for (const check_count& check : report.checks) {
        checks[check.name] = {{"verified", check.verified},
                              {"failed", check.failed},
                              {"not_checkable", check.not_checkable},
                              {"basis", basis_of(check)}};
    }
    object["checks"] = std::move(checks);
    object["origin"] = origin_line;
    return object;
}

void tell_end(console& out, const attest_report& report, const std::string& file) {
    const std::uint64_t before = report.rows_attested_before;
    const std::string line = fmt::format(
        "{} of {} rows attested{}, in {}", text::grouped(report.rows_attested), text::grouped(report.rows_total),
        before == 0 ? "" : fmt::format(" ({} of them before)", text::grouped(before)), file);
    const bool some_not_attested = report.rows_rejected + report.rows_unverified + report.rows_timed_out +
                                       report.rows_unknown + report.rows_refused >
                                   0;
    some_not_attested || report.stopped ? out.warn(line) : out.say(line);
    if (report.rows_blank > 0) {
        out.say("{} no text to attest", text::counted(report.rows_blank, "blank line has", "blank lines have"));
    }
    if (some_not_attested) {
        out.warn("{} rejected, {} unverified, {} timed out, {} unknown, {} refused or not sent:",
                 text::grouped(report.rows_rejected), text::grouped(report.rows_unverified),
                 text::grouped(report.rows_timed_out), text::grouped(report.rows_unknown),
                 text::grouped(report.rows_refused));
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
    out.say(origin_line);
}

}  // namespace cli
}  // namespace vembed
