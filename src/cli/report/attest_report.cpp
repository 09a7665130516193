#include "cli/report/attest_report.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/report/json_report.hpp"
#include "text/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

std::string rows_text(const attest::row_claim& claim) {
    return claim.end - claim.first == 1 ? "row " + std::to_string(claim.first)
                                        : "rows " + std::to_string(claim.first) + "-" + std::to_string(claim.end - 1);
}

// The advice for a person.
std::string_view advice(attest::claim_outcome outcome) {
    switch (outcome) {
        case attest::claim_outcome::attested: return "";
        case attest::claim_outcome::rejected: return "the service computes something else";
        case attest::claim_outcome::unverified: return "the receipt cannot be relied on";
        case attest::claim_outcome::timed_out: return "the same command asks again";
        case attest::claim_outcome::unknown: return "may be attested and charged; --retry-unknown asks again";
        case attest::claim_outcome::refused: return "the service does not take it";
    }
    return "";
}

void tell_remarkable(console& out, const attest_report& report) {
    for (const attest::claim_record& record : report.remarkable) {
        std::string line = "  " + rows_text(record.claim) + " " + std::string(to_string(record.outcome)) + " (" +
                           std::string(advice(record.outcome)) + ")";
        line += record.job_id.empty() ? "" : ", job " + text::printable(record.job_id);
        line += record.reason.empty() ? "" : ": " + text::printable(record.reason);
        out.warn(line);
    }
    for (const attest::unfit_row& row : report.unfit) {
        out.warn("  row " + std::to_string(row.row) + " not sent: " + text::printable(row.why));
    }
}

void tell_checks(console& out, const attest_report& report) {
    for (const check_tally& check : report.checks) {
        if (check.verified + check.failed > 0) {
            out.say("  " + check.name + ": verified in " + text::grouped(check.verified) + " of " +
                    text::counted(check.all(), "receipt", "receipts") + " (" + check.basis() + ")");
        }
    }
}

}  // namespace

claim_reaction react_to_claim(const error& f) noexcept {
    switch (f.kind) {
        case errc::verification_failed:
        case errc::verification_timeout:
        case errc::outcome_unknown: return claim_reaction::record;
        case errc::request_too_large:
        case errc::invalid_request: return claim_reaction::halve;
        default: return claim_reaction::stop;
    }
}

attest::claim_outcome outcome_of(const error& f) noexcept {
    switch (f.kind) {
        // A judgement of the service has an HTTP status; without one, our own check of its receipt failed.
        case errc::verification_failed:
            return f.http_status != 0 ? attest::claim_outcome::rejected : attest::claim_outcome::unverified;
        case errc::verification_timeout: return attest::claim_outcome::timed_out;
        case errc::request_too_large:
        case errc::invalid_request: return attest::claim_outcome::refused;
        default: return attest::claim_outcome::unknown;
    }
}

void attest_report::add(const attest::claim_record& record, bool before) {
    const std::uint64_t rows = record.claim.end - record.claim.first;
    switch (record.outcome) {
        case attest::claim_outcome::attested:
            rows_attested += rows;
            rows_attested_before += before ? rows : 0;
            return;
        case attest::claim_outcome::rejected: rows_rejected += rows; break;
        case attest::claim_outcome::unverified: rows_unverified += rows; break;
        case attest::claim_outcome::timed_out: rows_timed_out += rows; break;
        case attest::claim_outcome::unknown: rows_unknown += rows; break;
        case attest::claim_outcome::refused: rows_refused += rows; break;
    }
    if (remarkable.size() < shown_max) {
        remarkable.push_back(record);
        remarkable.back().receipt.clear();
    }
}

void attest_report::add(const attest::unfit_row& row) {
    if (row.blank) {
        ++rows_blank;
        return;
    }
    ++rows_refused;
    if (unfit.size() < shown_max) {
        unfit.push_back(row);
    }
}

void attest_report::add(const offline_report& report) {
    for (const offline_check& check : report.checks) {
        const auto same = [&check](const check_tally& tally) { return tally.name == check.name; };
        auto tally = std::find_if(checks.begin(), checks.end(), same);
        if (tally == checks.end()) {
            checks.emplace_back(check.name, "", "receipts", "");
            tally = std::prev(checks.end());
        }
        if (check.verdict == check_verdict::not_checkable) {
            tally->leave(check.reason);
            continue;
        }
        tally->note_basis(check.basis_text());
        check.verdict == check_verdict::verified ? tally->pass() : tally->fail(check.reason);
    }
}

std::uint64_t attest_report::rows_settled() const noexcept {
    return rows_attested + rows_rejected + rows_unverified + rows_timed_out + rows_unknown + rows_refused + rows_blank;
}

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

std::string progress_line(const attest_report& report, std::uint64_t under_way) {
    const std::uint64_t settled = report.rows_settled();
    std::string line = text::grouped(settled) + "/" + text::grouped(report.rows_total) + " rows " +
                       std::to_string(settled * 100 / std::max<std::uint64_t>(report.rows_total, 1)) + "% | " +
                       text::grouped(report.rows_attested) + " attested | " + std::to_string(under_way) + " under way";
    if (report.rows_rejected + report.rows_unverified > 0) {
        line += " | " + text::grouped(report.rows_rejected + report.rows_unverified) + " rejected";
    }
    return line;
}

boost::json::object report_object(const attest_report& report) {
    json::object object;
    object["rows_total"] = report.rows_total;
    object["rows_attested"] = report.rows_attested;
    object["rows_attested_before"] = report.rows_attested_before;
    object["rows_rejected"] = report.rows_rejected;
    object["rows_unverified"] = report.rows_unverified;
    object["rows_timed_out"] = report.rows_timed_out;
    object["rows_unknown"] = report.rows_unknown;
    object["rows_refused"] = report.rows_refused;
    object["rows_blank"] = report.rows_blank;
    object["requests"] = report.requests;
    object["rows_per_request"] = report.rows_per_request;
    object["stopped"] = report.stopped;
    json::array claims;
    for (const attest::claim_record& record : report.remarkable) {
        json::object claim;
        claim["rows"] = json::array{record.claim.first, record.claim.end};
        claim["outcome"] = to_string(record.outcome);
        claim["job_id"] = text::json_string(record.job_id);
        claim["reason"] = text::json_string(record.reason);
        claims.push_back(std::move(claim));
    }
    object["not_attested"] = std::move(claims);
    json::object checks;
    for (const check_tally& check : report.checks) {
        json::object one;
        one["verified"] = check.verified;
        one["failed"] = check.failed;
        one["not_checkable"] = check.not_checkable;
        one["basis"] = check.basis();
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

std::string checks_text(const offline_report& report) {
    json::object checks;
    for (const offline_check& check : report.checks) {
        if (check.verdict != check_verdict::not_checkable) {
            checks[check.name] = json::object{{"verdict", to_string(check.verdict)}, {"basis", check.basis_text()}};
        }
    }
    return json::serialize(checks);
}

}  // namespace vembed::cli
