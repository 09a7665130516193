#include "policy/quota/reconcile.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

account_count count(std::uint64_t chunks, std::string period = "2026-01-01T00:00:00Z") {
    account_count made;
    made.chunks = chunks;
    made.period = std::move(period);
    made.others = "key-2=2025-12-01T00:00:00Z;";
    return made;
}

// A run that knows of 40 chunks and does not know of 10 more.
reconciliation counted(std::uint64_t before, std::uint64_t now) {
    reconciliation seen;
    seen.before = count(before);
    seen.now = count(now);
    seen.charged = 40;
    seen.unknown = 10;
    seen.charges_are_made = true;
    return seen;
}

TEST(Reconcile, TheCountDecides) {
    struct {
        std::uint64_t before;
        std::uint64_t now;
        unknown_verdict verdict;
        const char* why;
    } const table[] = {
        {100, 140, unknown_verdict::none_charged, "exactly what is known"},
        {100, 150, unknown_verdict::all_charged, "exactly what is unknown besides"},
        {100, 145, unknown_verdict::undecided, "some of them, or somebody else"},
        {100, 190, unknown_verdict::undecided, "somebody else"},
        {100, 130, unknown_verdict::undecided, "less than was charged: it counts in another way"},
        {100, 90, unknown_verdict::undecided, "it fell"},
        {0, 40, unknown_verdict::none_charged, "a fresh account"},
    };
    for (const auto& entry : table) {
        EXPECT_EQ(judge_unknown(counted(entry.before, entry.now)), entry.verdict) << entry.why;
    }
}

TEST(Reconcile, NothingIsDecidedWhereTheCountCannotBeTrusted) {
    const reconciliation good = counted(100, 140);
    ASSERT_EQ(judge_unknown(good), unknown_verdict::none_charged);
    reconciliation seen = good;
    seen.before.reset();
    EXPECT_EQ(judge_unknown(seen), unknown_verdict::undecided) << "nothing to compare with";
    seen = good;
    seen.now.reset();
    EXPECT_EQ(judge_unknown(seen), unknown_verdict::undecided) << "/account did not answer";
    seen = good;
    seen.now->period = "2026-02-01T00:00:00Z";
    EXPECT_EQ(judge_unknown(seen), unknown_verdict::undecided) << "the count began again";
    seen = good;
    seen.perhaps_given_back = true;
    EXPECT_EQ(judge_unknown(seen), unknown_verdict::undecided) << "a refund may hide a charge";
    seen = good;
    seen.charges_are_made = false;
    EXPECT_EQ(judge_unknown(seen), unknown_verdict::undecided) << "a charge may still come";
}

// Somebody else's refund may hide our charge.
TEST(Reconcile, NothingIsReleasedUnlessTheAccountWasUsedAlone) {
    const account_count before = count(100);
    const account_count quiet = count(140);
    account_count busy = quiet;
    busy.others = "key-2=2026-01-01T00:00:07Z;";
    account_count silent_before = before;
    silent_before.others.reset();
    account_count silent = quiet;
    silent.others.reset();
    struct {
        account_count before;
        account_count now;
        bool sole_use;
        unknown_verdict verdict;
        const char* why;
    } const table[] = {
        {before, quiet, false, unknown_verdict::none_charged, "no other key was used"},
        {before, busy, false, unknown_verdict::undecided, "another key was used"},
        {before, busy, true, unknown_verdict::none_charged, "the user says that it was us"},
        {silent_before, silent, false, unknown_verdict::undecided, "the service does not tell"},
        {silent_before, quiet, false, unknown_verdict::undecided, "an earlier build did not note it"},
        {silent_before, silent, true, unknown_verdict::none_charged, "the user says so"},
    };
    for (const auto& entry : table) {
        reconciliation seen = counted(100, 140);
        seen.before = entry.before;
        seen.now = entry.now;
        seen.sole_use = entry.sole_use;
        EXPECT_EQ(judge_unknown(seen), entry.verdict) << entry.why;
    }
}

TEST(Reconcile, ACountIsKeptAsText) {
    account_count alone = count(7);
    alone.others.reset();
    EXPECT_EQ(from_period_text(7, to_period_text(alone)), alone);
    for (const char* const others : {"", "a=;b=2026-01-01;"}) {
        account_count kept = count(7);
        kept.others = others;
        EXPECT_EQ(from_period_text(7, to_period_text(kept)), kept);
    }
}

}  // namespace
}  // namespace vembed::policy
