// What a failure means, and how outcomes are counted.

#include "attest/attest_outcomes.hpp"

#include <gtest/gtest.h>

namespace vembed::attest {
namespace {

TEST(AttestReport, BlankLinesAreNoRefusal) {
    unfit_row blank;
    blank.why = "the line is blank";
    blank.blank = true;
    attest_report report;
    count(report, blank);
    EXPECT_EQ(report.rows_blank, 1U);
    EXPECT_EQ(report.rows_refused, 0U);
    EXPECT_EQ(report.rows_settled(), 1U);
    EXPECT_TRUE(report.unfit.empty());
    blank.blank = false;
    count(report, blank);
    EXPECT_EQ(report.rows_blank, 1U);
    EXPECT_EQ(report.rows_refused, 1U);
    EXPECT_EQ(report.unfit.size(), 1U);
}

TEST(AttestReport, EachBasisOfACheckIsNamedOnce) {
    attest_report report;
    offline_report checks;
    checks.checks.emplace_back("ranges", check_verdict::verified, check_basis::specified, "");
    count(report, checks);
    checks.checks[0].basis = check_basis::implied;
    count(report, checks);
    count(report, checks);
    checks.checks[0] = offline_check("ranges", check_verdict::not_checkable, check_basis::none, "nothing is known");
    count(report, checks);
    ASSERT_EQ(report.checks.size(), 1U);
    EXPECT_EQ(report.checks[0].basis, "specified and implied");
    EXPECT_EQ(report.checks[0].verified, 3U);
    EXPECT_EQ(report.checks[0].not_checkable, 1U);
    EXPECT_EQ(report.checks[0].reason, "nothing is known");
    EXPECT_EQ(checks_text(checks), "{}");
    checks.checks[0] = offline_check("ranges", check_verdict::failed, check_basis::assumed, "a gap");
    count(report, checks);
    EXPECT_EQ(report.checks[0].failed, 1U);
    EXPECT_EQ(report.checks[0].reason, "a gap");
}

TEST(AttestReport, FailuresHaveTheirReaction) {
    const auto with_status = [](errc kind, int status) {
        error f(kind, "");
        f.http_status = status;
        return f;
    };
    const struct {
        error f;
        claim_reaction reaction;
        claim_outcome outcome;
    } cases[] = {
        {with_status(errc::verification_failed, 422), claim_reaction::record, claim_outcome::rejected},
        {with_status(errc::verification_failed, 0), claim_reaction::record, claim_outcome::unverified},
        {with_status(errc::verification_timeout, 504), claim_reaction::record, claim_outcome::timed_out},
        {with_status(errc::outcome_unknown, 0), claim_reaction::record, claim_outcome::unknown},
        {with_status(errc::request_too_large, 413), claim_reaction::halve, claim_outcome::refused},
        {with_status(errc::invalid_request, 400), claim_reaction::halve, claim_outcome::refused},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(react_to_claim(c.f), c.reaction) << c.f;
        EXPECT_EQ(outcome_of(c.f), c.outcome) << c.f;
    }
    for (const errc kind : {errc::unauthorized, errc::quota_exceeded, errc::network, errc::cancelled, errc::api,
                            errc::unknown_model, errc::trial_expired, errc::io, errc::timeout}) {
        EXPECT_EQ(react_to_claim(error(kind, "")), claim_reaction::stop) << to_string(kind);
    }
}

}  // namespace
}  // namespace vembed::attest
