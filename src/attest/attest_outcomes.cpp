#include "attest/attest_outcomes.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "bulk/check_counts.hpp"

namespace vembed::attest {
namespace {

constexpr std::size_t bases_max = 4;
constexpr std::string_view between_bases = " and ";

// Adds a basis that is not listed yet.
void note_basis(std::string& listed, const std::string& basis) {
    if (basis.empty() || basis == "none") {
        return;
    }
    std::size_t bases = 0;
    for (std::size_t at = 0; at < listed.size(); ++bases) {
        const std::size_t end = std::min(listed.find(between_bases, at), listed.size());
        if (listed.compare(at, end - at, basis) == 0) {
            return;
        }
        at = end + between_bases.size();
    }
    if (bases < bases_max) {
        listed += (listed.empty() ? std::string() : std::string(between_bases)) + basis;
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

claim_outcome outcome_of(const error& f) noexcept {
    switch (f.kind) {
        // A judgement of the service has an HTTP status; without one, our own check of its receipt failed.
        case errc::verification_failed: return f.http_status != 0 ? claim_outcome::rejected : claim_outcome::unverified;
        case errc::verification_timeout: return claim_outcome::timed_out;
        case errc::request_too_large:
        case errc::invalid_request: return claim_outcome::refused;
        default: return claim_outcome::unknown;
    }
}

claim_record record_of_failure(const row_claim& claim, const error& why) {
    claim_record record;
    record.claim = claim;
    record.outcome = outcome_of(why);
    record.job_id = why.job_id;
    record.receipt_id = why.receipt_id;
    record.reason = why.message;
    record.receipt = record.outcome == claim_outcome::unverified ? why.raw_body : std::string();
    return record;
}

void count(attest_report& report, const claim_record& record, bool before) {
    const std::uint64_t rows = record.claim.end - record.claim.first;
    switch (record.outcome) {
        case claim_outcome::attested:
            report.rows_attested += rows;
            report.rows_attested_before += before ? rows : 0;
            return;
        case claim_outcome::rejected: report.rows_rejected += rows; break;
        case claim_outcome::unverified: report.rows_unverified += rows; break;
        case claim_outcome::timed_out: report.rows_timed_out += rows; break;
        case claim_outcome::unknown: report.rows_unknown += rows; break;
        case claim_outcome::refused: report.rows_refused += rows; break;
    }
    if (report.not_attested.size() < attest_report::shown_max) {
        report.not_attested.push_back(record);
        report.not_attested.back().receipt.clear();
    }
}

void count(attest_report& report, const unfit_row& row) {
    if (row.blank) {
        ++report.rows_blank;
        return;
    }
    ++report.rows_refused;
    if (report.unfit.size() < attest_report::shown_max) {
        report.unfit.push_back(row);
    }
}

void count(attest_report& report, const offline_report& checks) {
    for (const offline_check& check : checks.checks) {
        check_count& counted = bulk::count_check(report.checks, check);
        if (check.verdict != check_verdict::not_checkable) {
            note_basis(counted.basis, check.basis_text());
        }
    }
}

std::string checks_text(const offline_report& report) {
    boost::json::object checks;
    for (const offline_check& check : report.checks) {
        if (check.verdict != check_verdict::not_checkable) {
            checks[check.name] =
                boost::json::object{{"verdict", to_string(check.verdict)}, {"basis", check.basis_text()}};
        }
    }
    return boost::json::serialize(checks);
}

}  // namespace vembed::attest

namespace vembed {

std::uint64_t attest_report::rows_settled() const noexcept {
    return rows_attested + rows_rejected + rows_unverified + rows_timed_out + rows_unknown + rows_refused + rows_blank;
}

}  // namespace vembed
