// What the ledger learns from refusals and by the clock, and its state as a value: kept, shared, merged.

#include <random>

#include <gtest/gtest.h>

#include "policy/quota/quota_ledger.hpp"

#include "policy/ledger_aids.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

quota_limits limits_of(std::optional<std::uint64_t> minute, std::optional<std::uint64_t> day = std::nullopt,
                       std::optional<std::uint64_t> period = std::nullopt) {
    quota_limits limits;
    limits.chunks_per_minute = minute;
    limits.chunks_per_day = day;
    limits.chunks_per_period = period;
    return limits;
}

period_count counted_in(std::uint64_t chunks, std::string period, std::optional<monotonic_time> ends = std::nullopt,
                        monotonic_clock::duration length = 30 * 24h) {
    period_count count;
    count.chunks = chunks;
    count.period = std::move(period);
    count.ends = ends;
    count.length = length;
    return count;
}

TEST(ledger_refusals, a_used_up_quota_is_believed_at_once_for_as_long_as_the_service_says) {
    quota_ledger ledger(limits_of(60, 100));
    ledger.refused(admitted(ledger, start, 1), refusal(errc::quota_exceeded, 7200s), start);
    for (const auto when : {0min, 119min}) {
        const admission_decision decision = held(ledger, start + when);
        EXPECT_EQ(decision.bound, quota_bound::chunks_per_day);
        EXPECT_EQ(decision.retry_at, start + 2h);
    }
    accepted(ledger, start + 2h, 1);
}

TEST(ledger_refusals, without_a_time_it_is_asked_again_when_our_own_count_or_an_hour_has_passed) {
    quota_ledger knows(limits_of(60, 100));
    knows.refused(admitted(knows, start, 1), refusal(errc::quota_exceeded), start);
    EXPECT_EQ(held(knows, start).retry_at, start + 1h) << "our own count does not explain it";
    quota_ledger learns;
    accepted(learns, start, 5);
    learns.refused(admitted(learns, start + 2h, 1), refusal(errc::quota_exceeded), start + 2h);
    EXPECT_EQ(held(learns, start + 2h).retry_at, start + 24h) << "what was used first comes back first";
}

TEST(ledger_refusals, other_limits_or_a_new_period_end_the_belief) {
    for (const int what : {0, 1, 2}) {
        quota_ledger ledger(limits_of(60, 100));
        ledger.resync(start, limits_of(60, 100), counted_in(0, "2026-01"));
        ledger.refused(admitted(ledger, start, 1), refusal(errc::quota_exceeded, 7200s), start);
        ledger.resync(start, limits_of(60, what == 1 ? 1000 : 100), counted_in(0, what == 2 ? "2026-02" : "2026-01"));
        EXPECT_EQ(ledger.reserve(start, 1).reservation.has_value(), what > 0) << what;
    }
}

TEST(ledger_refusals, a_rate_that_is_refused_is_paced_from_then_on) {
    quota_ledger ledger(limits_of(600));
    accepted(ledger, start, 1);
    ledger.refused(admitted(ledger, start + 1s, 1), refusal(errc::rate_limited, 1s), start + 1s);
    accepted(ledger, start + 2s, 49);
    const admission_decision next = held(ledger, start + 2s);
    EXPECT_EQ(next.bound, quota_bound::pace);
    EXPECT_EQ(next.retry_at, start + 7s) << "49 chunks at 9.8 a second";
    ledger.refused(admitted(ledger, start + 7s, 1), refusal(errc::not_found), start + 7s);
    EXPECT_EQ(ledger.snapshot().pace.refused_at, start + 1s) << "other refusals teach nothing";
}

TEST(ledger_refusals, a_pause_holds_back_and_then_lets_back_one_by_one) {
    quota_ledger ledger(limits_of(60));
    accepted(ledger, start, 1);
    EXPECT_TRUE(ledger.pause(start + 30s, errc::service_busy));
    const admission_decision decision = held(ledger, start);
    EXPECT_EQ(decision.bound, quota_bound::pause);
    EXPECT_EQ(decision.retry_at, start + 30s);
    EXPECT_EQ(ledger.pass(start), start + 30s);
    EXPECT_EQ(ledger.pass(start), start + 31s);
    EXPECT_EQ(held(ledger, start + 30s).retry_at, start + 31s + 500ms);
    accepted(ledger, start + 32s, 1);
    EXPECT_EQ(ledger.pass(start + 40s), start + 40s);
}

TEST(ledger_refusals, a_used_up_quota_is_told_during_a_pause_as_well) {
    quota_ledger ledger(limits_of(60, 1));
    accepted(ledger, start, 1);
    ledger.pause(start + 30s, errc::service_busy);
    EXPECT_EQ(held(ledger, start).bound, quota_bound::chunks_per_day);
}

TEST(ledger_refusals, answers_that_are_late_hold_nobody_up) {
    quota_ledger ledger;
    admitted(ledger, start, 1);
    EXPECT_EQ(held(ledger, start).retry_at, start + 1s);
    admitted(ledger, start + 1s, 1);
    const auto verification = admitted(ledger, start + 2s, 1);
    ledger.answers_late(verification);
    admitted(ledger, start + 2s, 1);
    EXPECT_EQ(held(ledger, start + 2s).bound, quota_bound::jobs_in_flight);
}

TEST(ledger_periods, start_again_by_the_clock_as_well) {
    quota_ledger ledger(limits_of({}, {}, 100));
    ledger.resync(start, limits_of({}, {}, 100), counted_in(100, "2026-01", start + 5h, 24h));
    EXPECT_EQ(held(ledger, start).retry_at, start + 5h);
    EXPECT_EQ(ledger.use(start).period_left, 5h);
    accepted(ledger, start + 5h, 60);
    EXPECT_EQ(held(ledger, start + 5h, 60).retry_at, start + 29h);
    // The service names the period that began; what was used since is not taken off by a count that lags.
    ledger.resync(start + 6h, limits_of({}, {}, 100), counted_in(10, "2026-02", start + 29h, 24h));
    EXPECT_EQ(held(ledger, start + 6h, 60).bound, quota_bound::chunks_per_period);
    accepted(ledger, start + 29h + 3 * 24h, 100);
    EXPECT_EQ(ledger.use(start + 29h + 3 * 24h).period_left, 24h);
}

TEST(ledger_periods, one_that_is_over_already_or_has_no_length_says_nothing) {
    quota_ledger ledger(limits_of({}, {}, 100));
    ledger.resync(start, limits_of({}, {}, 100), counted_in(100, "2026-01", start - 1h, 0s));
    EXPECT_EQ(held(ledger, start).retry_at, std::nullopt);
    ledger.resync(start, limits_of({}, {}, 100), counted_in(100, "2026-01", start + 1h, 0s));
    accepted(ledger, start + 1h, 100);
    EXPECT_EQ(held(ledger, start + 1h).retry_at, std::nullopt);
}

TEST(ledger_state, tells_what_is_in_use) {
    quota_limits limits = limits_of(60, 100, 400);
    limits.requests_per_minute = 10;
    limits.jobs_in_flight = 4;
    quota_ledger ledger(limits);
    accepted(ledger, start, 7);
    admitted(ledger, start, 3);
    const quota_state seen = ledger.use(start);
    EXPECT_EQ(seen.chunks_minute.used, 10u);
    EXPECT_EQ(seen.chunks_minute.limit, 60u);
    EXPECT_EQ(seen.requests_minute.used, 2u);
    EXPECT_EQ(seen.requests_minute.limit, 10u);
    EXPECT_EQ(seen.chunks_day.used, 10u);
    EXPECT_EQ(seen.chunks_day.limit, 100u);
    EXPECT_EQ(seen.chunks_period.used, 10u);
    EXPECT_EQ(seen.chunks_period.limit, 400u);
    EXPECT_EQ(seen.jobs_in_flight.used, 2u);
    EXPECT_EQ(seen.jobs_in_flight.limit, 4u);
    EXPECT_FALSE(seen.period_left);
    EXPECT_EQ(ledger.use(start + 61s).chunks_minute.used, 3u);
}

TEST(ledger_state, an_adopted_job_counts_as_in_flight_only) {
    quota_limits limits = limits_of(60);
    limits.jobs_in_flight = 1;
    quota_ledger ledger(limits);
    const std::uint64_t job = ledger.adopt(start, 60);
    EXPECT_EQ(ledger.chunks_in_minute(start), 0u);
    EXPECT_EQ(held(ledger, start).bound, quota_bound::jobs_in_flight);
    ledger.settle(job, 60, start);
    ledger.release(job, start, true);
    EXPECT_EQ(ledger.jobs_in_flight(), 1u);
    ledger.job_ended(job);
    accepted(ledger, start, 60);
}

// A ledger taken apart and put together again between any two steps decides as one that was not.
TEST(ledger_state, is_all_that_matters) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 draw(seed);
        const quota_limits limits = limits_of(20 + draw() % 100, 500, 5000);
        quota_ledger whole(limits, 7);
        quota_ledger kept(limits, 7);
        std::vector<std::uint64_t> open;
        monotonic_time now = start;
        for (int step = 0; step < 400; ++step) {
            now += std::chrono::milliseconds(draw() % 3000);
            const std::uint64_t chunks = 1 + draw() % 9;
            const admission_decision a = whole.reserve(now, chunks);
            const admission_decision b = kept.reserve(now, chunks);
            ASSERT_EQ(a.reservation, b.reservation);
            ASSERT_EQ(a.bound, b.bound);
            ASSERT_EQ(a.retry_at, b.retry_at);
            if (a.reservation) {
                open.push_back(*a.reservation);
            }
            const std::size_t which = open.empty() ? 0 : draw() % open.size();
            constexpr errc kinds[] = {errc::too_many_inflight, errc::rate_limited, errc::quota_exceeded};
            const error why = refusal(kinds[draw() % 3], std::chrono::seconds(1 + draw() % 100));
            const std::uint64_t what = draw() % 8;
            for (quota_ledger* each : {&whole, &kept}) {
                if (!open.empty()) {
                    what < 4    ? each->settle(open[which], chunks, now)
                    : what == 4 ? each->job_ended(open[which])
                    : what == 5 ? each->hold(open[which], now)
                    : what == 6 ? each->refused(open[which], why, now)
                                : each->release(open[which], now, true);
                }
                if (what == 7) {
                    each->pause(now + 3s, errc::service_busy);
                }
            }
            quota_ledger again(limits, 7);
            again.restore(kept.snapshot());
            kept = again;
        }
    }
}

TEST(ledger_state, two_of_one_account_are_merged) {
    quota_ledger mine(limits_of(60, 100), 1);
    quota_ledger theirs(limits_of(60, 100), 2);
    mine.resync(start, limits_of(60, 100), counted_in(40, "2026-01"));
    accepted(mine, start, 10);
    const auto open = admitted(mine, start, 5);
    theirs.resync(start, limits_of(60, 100), counted_in(45, "2026-01"));
    const auto other = accepted(theirs, start + 1s, 20);
    theirs.pause(start + 9s, errc::service_busy);
    mine.merge(theirs.snapshot());
    EXPECT_EQ(mine.chunks_in_minute(start + 1s), 35u);
    EXPECT_EQ(mine.jobs_in_flight(), 3u);
    EXPECT_EQ(mine.use(start + 1s).chunks_period.used, 70u) << "the larger count, and what is open";
    EXPECT_EQ(mine.owners(), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(held(mine, start + 1s).bound, quota_bound::pause);
    mine.settle(open, 5, start + 1s);
    mine.job_ended(other + 100);
    EXPECT_EQ(mine.jobs_in_flight(), 3u);
}

TEST(ledger_state, what_an_owner_left_behind_is_spent_and_out_of_flight) {
    quota_ledger gone(limits_of(60), 1);
    accepted(gone, start, 10);
    admitted(gone, start, 20);
    quota_ledger here(limits_of(60), 2);
    accepted(here, start, 1);
    here.merge(gone.snapshot());
    here.drop_owner(1, start + 30s);
    EXPECT_EQ(here.jobs_in_flight(), 1u);
    EXPECT_EQ(here.chunks_in_minute(start + 30s), 31u);
    EXPECT_EQ(here.chunks_in_minute(start + 61s), 20u) << "from when it was known to be gone";
    EXPECT_EQ(here.chunks_in_minute(start + 91s), 0u);
    EXPECT_EQ(here.owners(), std::vector<std::uint64_t>{2});
    here.drop_owner(99, start);
}

}  // namespace
}  // namespace vembed::policy
