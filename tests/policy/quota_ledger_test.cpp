#include "policy/quota/quota_ledger.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "policy/ledger_aids.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

quota_limits per_minute(std::uint64_t chunks) {
    quota_limits limits;
    limits.chunks_per_minute = chunks;
    return limits;
}

period_count counted(std::optional<std::uint64_t> chunks, std::string period) {
    period_count count;
    count.chunks = chunks;
    count.period = std::move(period);
    return count;
}

TEST(quota_ledger, without_limits_admits_everything) {
    quota_ledger ledger;
    for (int i = 0; i < 1000; ++i) {
        accepted(ledger, start, 1'000'000);
    }
    EXPECT_EQ(ledger.jobs_in_flight(), 1000u);
}

TEST(quota_ledger, counts_a_reservation_until_a_minute_after_it_was_settled) {
    quota_ledger ledger(per_minute(60));
    const auto first = admitted(ledger, start, 40);
    const admission_decision open = held(ledger, start + 10min, 40);
    EXPECT_EQ(open.bound, quota_bound::chunks_per_minute);
    EXPECT_EQ(open.retry_at, no_deadline) << "an open reservation leaves by no clock";
    ledger.settle(first, 40, start + 10min);
    EXPECT_EQ(held(ledger, start + 10min, 40).retry_at, start + 11min);
    EXPECT_FALSE(ledger.reserve(start + 11min - 1ns, 40).reservation);
    admitted(ledger, start + 11min, 40);
}

TEST(quota_ledger, settling_corrects_the_estimate) {
    quota_ledger ledger(per_minute(60));
    const auto low = admitted(ledger, start, 1);
    ledger.settle(low, 55, start);
    EXPECT_EQ(ledger.chunks_in_minute(start), 55u);
    held(ledger, start, 6);
    const auto high = admitted(ledger, start, 5);
    ledger.settle(high, 1, start);
    EXPECT_EQ(ledger.chunks_in_minute(start), 56u);
    ledger.settle(high, 50, start);
    EXPECT_EQ(ledger.chunks_in_minute(start), 56u) << "settled once only";
}

TEST(quota_ledger, release_gives_the_chunks_back_and_hold_does_not) {
    quota_limits limits = per_minute(60);
    limits.requests_per_minute = 2;
    limits.chunks_per_day = 100;
    quota_ledger ledger(limits);
    const auto a = admitted(ledger, start, 60);
    ledger.release(a, start, true);
    EXPECT_EQ(ledger.jobs_in_flight(), 0u);
    const auto b = admitted(ledger, start, 60);
    ledger.hold(b, start);
    EXPECT_EQ(ledger.jobs_in_flight(), 0u);
    EXPECT_EQ(held(ledger, start, 1).bound, quota_bound::chunks_per_minute);
    EXPECT_EQ(held(ledger, start + 60s, 41).bound, quota_bound::chunks_per_day) << "what is held stays spent";
    admitted(ledger, start + 60s, 40);
}

TEST(quota_ledger, a_released_request_counts_as_a_request_only_where_it_was_sent) {
    quota_limits limits;
    limits.requests_per_minute = 1;
    quota_ledger ledger(limits);
    ledger.release(admitted(ledger, start, 1), start, false);
    ledger.release(admitted(ledger, start, 1), start, true);
    const admission_decision decision = held(ledger, start, 1);
    EXPECT_EQ(decision.bound, quota_bound::requests_per_minute);
    EXPECT_EQ(decision.retry_at, start + 60s);
    admitted(ledger, start + 60s, 1);
}

TEST(quota_ledger, a_job_over_the_minutes_cap_enters_an_empty_window_and_is_then_owed) {
    quota_ledger ledger(per_minute(60));
    ledger.settle(admitted(ledger, start, 1), 1, start);
    EXPECT_EQ(held(ledger, start + 1s, 100).retry_at, start + 60s);
    const auto big = admitted(ledger, start + 60s, 100);
    held(ledger, start + 60s, 1);
    ledger.settle(big, 100, start + 61s);
    EXPECT_EQ(held(ledger, start + 61s, 1).retry_at, start + 121s);
    admitted(ledger, start + 121s, 1);
}

TEST(quota_ledger, asking_again_when_told_is_always_right_and_never_late) {
    quota_ledger ledger(per_minute(10));
    std::mt19937_64 random(7);
    monotonic_time now = start;
    std::uint64_t total = 0;
    while (now < start + 30min) {
        const std::uint64_t chunks = 1 + random() % 5;
        admission_decision decision = ledger.reserve(now, chunks);
        if (!decision.reservation) {
            ASSERT_TRUE(decision.retry_at);
            ASSERT_GT(*decision.retry_at, now);
            ASSERT_FALSE(ledger.reserve(*decision.retry_at - 1ns, chunks).reservation);
            now = *decision.retry_at;
            decision = ledger.reserve(now, chunks);
            ASSERT_TRUE(decision.reservation);
        }
        ledger.settle(*decision.reservation, chunks, now);
        total += chunks;
    }
    EXPECT_GE(total, 30u * 8);
    EXPECT_LE(total, 31u * 10);
}

// A reference of the service: every arrival with its time and size, compared over every window of 60 s.
class arrivals {
public:
    void add(monotonic_time at, std::uint64_t chunks) { seen_.emplace_back(at, chunks); }

    // Over every window [t, t + 60 s): only a job that is larger than the cap by itself, and alone, may pass it.
    void check(std::uint64_t chunk_cap, std::uint64_t request_cap) {
        std::sort(seen_.begin(), seen_.end());
        std::size_t first = 0;
        std::uint64_t chunks = 0;
        std::uint64_t charged = 0;
        for (std::size_t last = 0; last < seen_.size(); ++last) {
            chunks += seen_[last].second;
            charged += seen_[last].second > 0 ? 1 : 0;
            for (; seen_[first].first + 60s <= seen_[last].first; ++first) {
                chunks -= seen_[first].second;
                charged -= seen_[first].second > 0 ? 1 : 0;
            }
            ASSERT_LE(last - first + 1, request_cap);
            if (charged > 1) {
                ASSERT_LE(chunks, chunk_cap) << "a window of " << charged << " jobs";
            }
        }
    }
    [[nodiscard]] std::size_t size() const { return seen_.size(); }

private:
    std::vector<std::pair<monotonic_time, std::uint64_t>> seen_;
};

class closing {
public:
    monotonic_time at;
    std::uint64_t reservation = 0;
    std::uint64_t chunks = 0;
    int how = 0;
    friend bool operator>(const closing& a, const closing& b) { return a.at > b.at; }
};

// Whatever the schedule, the latency there and back, the sizes and the ends: the service never sees more than the cap.
void run_schedule(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto draw = [&](std::uint64_t below) { return random() % below; };
    quota_limits limits = per_minute(5 + draw(200));
    limits.requests_per_minute = 2 + draw(60);
    quota_ledger ledger(limits);
    arrivals service;
    std::priority_queue<closing, std::vector<closing>, std::greater<>> open;
    const std::uint64_t latency_ms_max = draw(4) == 0 ? 90'000 : 1 + draw(3000);
    monotonic_time now = start;
    for (int step = 0; step < 3000; ++step) {
        now += std::chrono::milliseconds(draw(3) == 0 ? 0 : draw(4000));
        while (!open.empty() && open.top().at <= now) {
            const closing c = open.top();
            open.pop();
            c.how == 0   ? ledger.hold(c.reservation, c.at)
            : c.how == 1 ? ledger.release(c.reservation, c.at, true)
                         : ledger.settle(c.reservation, c.chunks, c.at);
            if (c.how > 1) {
                ledger.job_ended(c.reservation);
            }
        }
        const std::uint64_t estimate = 1 + draw(draw(10) == 0 ? 400 : 20);
        const admission_decision decision = ledger.reserve(now, estimate);
        if (!decision.reservation) {
            continue;
        }
        const auto there = std::chrono::milliseconds(draw(latency_ms_max));
        const auto back = std::chrono::milliseconds(draw(latency_ms_max));
        closing c;
        c.reservation = *decision.reservation;
        c.chunks = 1 + draw(estimate);
        c.at = now + there + back;
        c.how = static_cast<int>(draw(6));
        service.add(now + there, c.how == 1 ? 0 : c.chunks);
        open.push(c);
    }
    ASSERT_GT(service.size(), 20u);
    service.check(*limits.chunks_per_minute, *limits.requests_per_minute);
}

TEST(quota_ledger, the_service_never_sees_more_than_the_cap_in_any_minute) {
    for (std::uint64_t seed = 1; seed <= 200 && !::testing::Test::HasFatalFailure(); ++seed) {
        SCOPED_TRACE(seed);
        run_schedule(seed);
    }
}

TEST(quota_ledger, the_day_refuses_until_its_oldest_chunks_are_a_day_old) {
    quota_limits limits;
    limits.chunks_per_day = 100;
    quota_ledger ledger(limits);
    ledger.settle(admitted(ledger, start, 60), 60, start);
    ledger.settle(admitted(ledger, start + 1h, 40), 40, start + 1h);
    const admission_decision decision = held(ledger, start + 2h, 1);
    EXPECT_EQ(decision.bound, quota_bound::chunks_per_day);
    EXPECT_EQ(decision.retry_at, start + 24h);
    EXPECT_EQ(held(ledger, start + 2h, 61).retry_at, start + 25h);
    EXPECT_EQ(held(ledger, start + 2h, 101).retry_at, std::nullopt) << "more than a day allows: never";
    admitted(ledger, start + 24h, 60);
}

TEST(quota_ledger, the_period_refuses_without_a_time) {
    quota_limits limits;
    limits.chunks_per_period = 100;
    quota_ledger ledger(limits);
    ledger.settle(admitted(ledger, start, 100), 100, start);
    const admission_decision decision = held(ledger, start + 240h, 1);
    EXPECT_EQ(decision.bound, quota_bound::chunks_per_period);
    EXPECT_EQ(decision.retry_at, std::nullopt);
}

TEST(quota_ledger, jobs_that_may_turn_out_cheaper_are_waited_for_before_day_or_period_refuse) {
    for (const bool day : {true, false}) {
        quota_limits limits;
        (day ? limits.chunks_per_day : limits.chunks_per_period) = 100;
        quota_ledger ledger(limits);
        const auto overestimated = admitted(ledger, start, 80);
        EXPECT_EQ(held(ledger, start, 30).retry_at, no_deadline);
        ledger.settle(overestimated, 10, start + 1s);
        const auto again = admitted(ledger, start + 1s, 30);
        ledger.settle(again, 30, start + 1s);
        EXPECT_NE(held(ledger, start + 1s, 61).retry_at, no_deadline);
    }
}

TEST(quota_ledger, resync_believes_the_larger_count_within_a_period_and_the_service_in_a_new_one) {
    quota_limits limits;
    limits.chunks_per_period = 100;
    quota_ledger ledger(limits);
    ledger.resync(start, limits, counted(50, "2026-01"));
    ledger.settle(admitted(ledger, start, 30), 30, start);
    ledger.resync(start, limits, counted(60, "2026-01"));
    held(ledger, start, 21);
    ledger.resync(start, limits, counted(95, "2026-01"));
    held(ledger, start, 6);
    ledger.resync(start, limits, counted(std::nullopt, "2026-02"));
    held(ledger, start, 6);
    ledger.resync(start, limits, counted(3, "2026-02"));
    admitted(ledger, start, 97);
    limits.chunks_per_period = 1000;
    ledger.resync(start, limits, counted(std::nullopt, ""));
    EXPECT_EQ(ledger.limits().chunks_per_period, 1000u);
    admitted(ledger, start, 900);
}

TEST(quota_ledger, holds_jobs_in_flight_at_their_cap_until_they_end) {
    quota_limits limits;
    limits.jobs_in_flight = 2;
    quota_ledger ledger(limits);
    const auto a = accepted(ledger, start, 1);
    const auto b = admitted(ledger, start, 1);
    const admission_decision decision = held(ledger, start, 1);
    EXPECT_EQ(decision.bound, quota_bound::jobs_in_flight);
    EXPECT_EQ(decision.retry_at, no_deadline);
    ledger.job_ended(b);
    EXPECT_EQ(ledger.jobs_in_flight(), 2u) << "a job that is not settled cannot end";
    ledger.job_ended(a);
    ledger.job_ended(a);
    EXPECT_EQ(ledger.jobs_in_flight(), 1u);
    admitted(ledger, start, 1);
}

TEST(quota_ledger, an_in_flight_refusal_lowers_the_cap_to_what_was_borne) {
    quota_ledger ledger;
    std::vector<std::uint64_t> jobs;
    for (int i = 0; i < 3; ++i) {
        jobs.push_back(accepted(ledger, start, 1));
    }
    const auto fourth = admitted(ledger, start, 1);
    const auto fifth = admitted(ledger, start, 1);
    for (const auto job : {fourth, fifth}) {
        ledger.refused(job, refusal(errc::too_many_inflight), start);
        EXPECT_EQ(ledger.in_flight_cap(), 3u);
    }
    EXPECT_EQ(ledger.jobs_in_flight(), 3u);
    EXPECT_EQ(held(ledger, start, 1).bound, quota_bound::jobs_in_flight);
    ledger.job_ended(jobs[0]);
    accepted(ledger, start, 1);
    held(ledger, start + flight_limit::try_again_soon, 1);
    const auto tried = admitted(ledger, start + flight_limit::try_again_slowly, 1);
    ledger.settle(tried, 1, start + flight_limit::try_again_slowly);
    EXPECT_EQ(ledger.in_flight_cap(), 4u) << "one more was tried and borne";
}

TEST(quota_ledger, a_refused_job_that_was_alone_leaves_a_cap_of_one) {
    quota_ledger ledger;
    for (int i = 0; i < 20; ++i) {
        ledger.refused(admitted(ledger, start, 1), refusal(errc::too_many_inflight), start);
        EXPECT_EQ(ledger.in_flight_cap(), 1u);
    }
    ledger.hold(admitted(ledger, start, 1), start);
    EXPECT_EQ(ledger.in_flight_cap(), 1u);
}

TEST(quota_ledger, the_learned_cap_never_passes_the_configured_one) {
    quota_limits limits;
    limits.jobs_in_flight = 2;
    quota_ledger ledger(limits);
    ledger.refused(admitted(ledger, start, 1), refusal(errc::too_many_inflight), start);
    EXPECT_EQ(ledger.in_flight_cap(), 1u);
    for (int i = 0; i < 50; ++i) {
        const monotonic_time now = start + i * 30s;
        ledger.job_ended(accepted(ledger, now, 1));
    }
    std::vector<std::uint64_t> jobs = {accepted(ledger, start + 30min, 1), accepted(ledger, start + 30min, 1)};
    EXPECT_EQ(ledger.in_flight_cap(), 2u);
    EXPECT_EQ(held(ledger, start + 60min, 1).bound, quota_bound::jobs_in_flight);
}

TEST(quota_ledger, a_limit_of_zero_refuses_instead_of_waiting_for_ever) {
    for (int which = 0; which < 5; ++which) {
        quota_limits limits;
        std::optional<std::uint64_t>* const each[] = {&limits.chunks_per_minute, &limits.requests_per_minute,
                                                      &limits.chunks_per_day, &limits.chunks_per_period,
                                                      &limits.jobs_in_flight};
        *each[which] = 0;
        quota_ledger ledger(limits);
        EXPECT_EQ(held(ledger, start, 1).retry_at, std::nullopt) << which;
    }
}

TEST(quota_ledger, absurd_counts_fill_windows_and_never_overflow_them) {
    constexpr std::uint64_t absurd = std::numeric_limits<std::uint64_t>::max();
    quota_limits limits = per_minute(60);
    limits.chunks_per_period = 1000;
    limits.chunks_per_day = 1000;
    quota_ledger ledger(limits);
    ledger.settle(admitted(ledger, start, 1), absurd, start);
    ledger.resync(start, limits, counted(absurd, "p"));
    held(ledger, start, 1);
    held(ledger, start, absurd);
    ledger.resync(start, limits, counted(0, "q"));
    EXPECT_EQ(held(ledger, start + 2min, 1).bound, quota_bound::chunks_per_day);
    admitted(ledger, start + 25h, 1);
    quota_ledger unlimited;
    for (int i = 0; i < 100; ++i) {
        accepted(unlimited, start, absurd);
    }
    EXPECT_GT(unlimited.chunks_in_minute(start), 60u);
    EXPECT_EQ(unlimited.chunks_in_minute(start + 60s), 0u);
}

TEST(quota_ledger, unknown_reservations_change_nothing) {
    quota_ledger ledger(per_minute(10));
    ledger.settle(99, 5, start);
    ledger.release(99, start, true);
    ledger.hold(99, start);
    ledger.job_ended(99);
    EXPECT_EQ(ledger.jobs_in_flight(), 0u);
    EXPECT_EQ(ledger.chunks_in_minute(start), 0u);
}

TEST(quota_ledger, every_bound_has_words) {
    for (int i = 1; i <= static_cast<int>(quota_bound::jobs_in_flight); ++i) {
        EXPECT_FALSE(to_string(static_cast<quota_bound>(i)).empty());
    }
    EXPECT_TRUE(to_string(quota_bound::none).empty());
}

}  // namespace
}  // namespace vembed::policy
