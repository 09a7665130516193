#include <vembed/audit/check_tally.hpp>

#include <gtest/gtest.h>

#include <algorithm>

#include "audit/report/judging.hpp"

namespace vembed::audit {
namespace {

check_tally tally_of(const char* name, std::uint64_t verified, std::uint64_t failed, std::uint64_t open,
                     bool required = false) {
    check_tally tally(name, "recorded", "files", "what it shows");
    tally.pass(verified);
    for (std::uint64_t i = 0; i < failed; ++i) {
        tally.fail("what");
    }
    if (open > 0) {
        tally.leave("why", open);
    }
    tally.required = required;
    return tally;
}

TEST(check_tally, the_worst_verdict_counts) {
    struct row {
        std::uint64_t verified;
        std::uint64_t failed;
        std::uint64_t open;
        check_verdict verdict;
    };
    for (const row& expected : {row{0, 0, 0, check_verdict::not_checkable}, row{3, 0, 0, check_verdict::verified},
                                row{3, 0, 1, check_verdict::not_checkable}, row{3, 1, 1, check_verdict::failed},
                                row{0, 1, 0, check_verdict::failed}}) {
        const check_tally tally = tally_of("files", expected.verified, expected.failed, expected.open);
        EXPECT_EQ(tally.verdict(), expected.verdict);
        EXPECT_EQ(tally.all(), expected.verified + expected.failed + expected.open);
    }
}

TEST(check_tally, nothing_to_check_holds_where_that_is_fine) {
    check_tally tally = tally_of("failed_rows", 0, 0, 0);
    tally.none_is_fine = true;
    EXPECT_EQ(tally.verdict(), check_verdict::verified);
    tally.leave("why");
    EXPECT_EQ(tally.verdict(), check_verdict::not_checkable);
}

TEST(judge, leaves_out_what_is_not_spoken_of) {
    std::vector<check_tally> checks = {tally_of("job_outputs", 0, 0, 0)};
    checks[0].hidden_if_none = true;
    EXPECT_FALSE(checks[0].spoken_of());
    EXPECT_EQ(judge(checks).text(), "verified");
    const std::vector<std::string> named = {"job_outputs"};
    require(checks, named);
    EXPECT_TRUE(checks[0].spoken_of());
    EXPECT_EQ(judge(checks).missing, named);
}

TEST(check_tally, keeps_the_first_findings_and_counts_all) {
    const check_tally tally = tally_of("files", 0, check_tally::findings_max + 5, 0);
    EXPECT_EQ(tally.findings.size(), check_tally::findings_max);
    EXPECT_EQ(tally.failed, check_tally::findings_max + 5);
}

TEST(check_tally, keeps_the_first_reason) {
    check_tally tally("files", "recorded", "files", "what it shows");
    tally.leave("first", 2);
    tally.leave("second", 3);
    EXPECT_EQ(tally.reason, "first");
    EXPECT_EQ(tally.not_checkable, 5U);
}

TEST(check_tally, names_each_basis_once) {
    check_tally tally("receipt_hash", "", "jobs", "what it shows");
    EXPECT_EQ(tally.basis(), "none");
    for (const char* basis : {"none", "assumed:a", "assumed:b", "assumed:a"}) {
        tally.note_basis(basis);
    }
    EXPECT_EQ(tally.basis(), "assumed:a and assumed:b");
}

TEST(judge, says_what_failed_before_what_is_missing) {
    struct row {
        std::vector<check_tally> checks;
        check_verdict verdict;
        const char* text;
    };
    const check_tally good = tally_of("shape", 1, 0, 0, true);
    const check_tally open = tally_of("inputs_root", 0, 0, 1);
    const check_tally missing = tally_of("files", 1, 0, 1, true);
    const check_tally bad = tally_of("receipt_hash", 1, 1, 0);
    const check_tally origin = tally_of("origin", 0, 0, 1);
    for (const row& expected :
         {row{{good, origin}, check_verdict::verified, "verified"},
          row{{good, open, origin}, check_verdict::verified, "verified; could not be checked: inputs_root"},
          row{{missing, open}, check_verdict::not_checkable, "not everything could be checked: files"},
          row{{bad, missing, bad}, check_verdict::failed, "failed: receipt_hash, receipt_hash"}}) {
        const folder_judgement judgement = judge(expected.checks);
        EXPECT_EQ(judgement.verdict, expected.verdict) << expected.text;
        EXPECT_EQ(judgement.text(), expected.text);
    }
}

TEST(require, all_is_everything_but_origin) {
    std::vector<check_tally> checks = {tally_of("files", 1, 0, 0), tally_of("inputs_root", 0, 0, 1),
                                       tally_of("origin", 0, 0, 1)};
    const std::vector<std::string> named = {"inputs_root"};
    require(checks, named);
    EXPECT_FALSE(checks[0].required);
    EXPECT_TRUE(checks[1].required);
    const std::vector<std::string> all = {"all"};
    require(checks, all);
    EXPECT_TRUE(checks[0].required);
    EXPECT_FALSE(checks[2].required);
    const std::vector<std::string> origin = {"origin"};
    require(checks, origin);
    EXPECT_TRUE(checks[2].required);
    EXPECT_EQ(judge(checks).missing, (std::vector<std::string>{"inputs_root", "origin"}));
}

TEST(folder_check_names, are_named_once) {
    std::vector<std::string> names = folder_check_names();
    EXPECT_NE(std::find(names.begin(), names.end(), "row_hashes"), names.end());
    EXPECT_NE(std::find(names.begin(), names.end(), "inputs_root"), names.end());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace vembed::audit
