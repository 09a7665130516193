// The windows of all calls: plain requests and submissions together, in a minute and in an hour.

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "policy/quota/quota_ledger.hpp"

#include "policy/ledger_aids.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

quota_limits calls(std::optional<std::uint64_t> minute, std::optional<std::uint64_t> hour) {
    quota_limits limits;
    limits.calls_per_minute = minute;
    limits.calls_per_hour = hour;
    return limits;
}

std::uint64_t opened(quota_ledger& ledger, monotonic_time now) {
    const admission_decision decision = ledger.reserve_call(now);
    EXPECT_TRUE(decision.reservation) << "held by " << to_string(decision.bound);
    return decision.reservation.value_or(0);
}

void call(quota_ledger& ledger, monotonic_time now) {
    ledger.end_call(opened(ledger, now), now, true);
}

TEST(call_windows, count_from_the_sending_until_the_window_has_passed_after_the_reply) {
    quota_ledger ledger(calls(1, {}));
    const std::uint64_t number = opened(ledger, start);
    for (const auto later : {0s, 59s, 200s}) {
        const admission_decision decision = ledger.reserve_call(start + later);
        EXPECT_FALSE(decision.reservation);
        EXPECT_EQ(decision.bound, quota_bound::calls_per_minute);
        EXPECT_EQ(decision.retry_at, no_deadline) << "only its end frees the place";
    }
    ledger.end_call(number, start + 200s, true);
    ledger.end_call(number, start + 210s, true);
    EXPECT_EQ(ledger.reserve_call(start + 200s).retry_at, start + 260s);
    EXPECT_FALSE(ledger.reserve_call(start + 260s - 1ns).reservation);
    opened(ledger, start + 260s);
}

TEST(call_windows, a_call_that_was_not_sent_does_not_count) {
    quota_ledger ledger(calls(1, 1));
    ledger.end_call(opened(ledger, start), start, false);
    opened(ledger, start);
}

TEST(call_windows, the_later_of_two_full_windows_is_told) {
    quota_ledger ledger(calls(1, 2));
    call(ledger, start);
    EXPECT_EQ(ledger.reserve_call(start).bound, quota_bound::calls_per_minute);
    call(ledger, start + 60s);
    const admission_decision decision = ledger.reserve_call(start + 61s);
    EXPECT_EQ(decision.bound, quota_bound::calls_per_hour);
    EXPECT_EQ(decision.retry_at, start + 1h);
    const quota_state seen = ledger.use(start + 61s);
    EXPECT_EQ(seen.calls_minute.used, 1u);
    EXPECT_EQ(seen.calls_minute.limit, 1u);
    EXPECT_EQ(seen.calls_hour.used, 2u);
    call(ledger, start + 1h);
}

TEST(call_windows, submissions_are_calls_too) {
    struct way {
        void (*end)(quota_ledger&, std::uint64_t);
        bool counts;
    };
    for (const way& w : {
             way{[](quota_ledger&l, std::uint64_t n) { l.settle(n, 1, start); }, true},
             way{[](quota_ledger&l, std::uint64_t n) { l.hold(n, start); }, true},
             way{[](quota_ledger&l, std::uint64_t n) { l.release(n, start, true); }, true},
             way{[](quota_ledger&l, std::uint64_t n) { l.release(n, start, false); }, false},
             way{[](quota_ledger&l, std::uint64_t n) { l.refused(n, refusal(errc::rate_limited, 1s), start); }, true},
         }) {
        quota_ledger ledger(calls(1, {}));
        const std::uint64_t number = admitted(ledger, start, 1);
        EXPECT_FALSE(ledger.reserve_call(start).reservation) << "while it is open";
        w.end(ledger, number);
        EXPECT_EQ(ledger.reserve_call(start).reservation.has_value(), !w.counts);
    }
    quota_ledger ledger(calls(1, {}));
    call(ledger, start);
    EXPECT_EQ(held(ledger, start).bound, quota_bound::calls_per_minute);
    EXPECT_EQ(held(ledger, start).retry_at, start + 60s);
    quota_ledger adopted(calls(1, {}));
    adopted.adopt(start, 5);
    opened(adopted, start);
}

TEST(call_windows, wait_behind_a_pause) {
    quota_ledger ledger(calls(60, 1000));
    ledger.pause(start + 60s, errc::rate_limited);
    const admission_decision decision = ledger.reserve_call(start);
    EXPECT_EQ(decision.bound, quota_bound::pause);
    EXPECT_EQ(decision.retry_at, start + 60s);
    opened(ledger, start + 60s);
    EXPECT_EQ(ledger.reserve_call(start + 60s).retry_at, start + 61s) << "they come back one after the other";
}

TEST(call_windows, a_limit_of_none_refuses) {
    for (const quota_limits& limits : {calls(0, {}), calls({}, 0)}) {
        quota_ledger ledger(limits);
        EXPECT_FALSE(ledger.reserve_call(start).reservation);
        EXPECT_FALSE(ledger.reserve_call(start).retry_at);
    }
}

TEST(call_windows, an_account_without_them_keeps_nothing) {
    quota_ledger ledger;
    accepted(ledger, start, 3);
    const ledger_state state = ledger.snapshot();
    EXPECT_TRUE(state.calls_minute.empty() && state.calls_hour.empty() && state.calls.empty());
    EXPECT_FALSE(ledger.use(start).calls_hour.limit);
}

TEST(call_windows, are_shared_and_left_behind) {
    quota_ledger mine(calls(10, 100), 1);
    quota_ledger gone(calls(10, 100), 2);
    call(mine, start);
    const std::uint64_t open = opened(mine, start);
    call(gone, start);
    opened(gone, start);
    mine.merge(gone.snapshot());
    EXPECT_EQ(mine.use(start).calls_minute.used, 4u);
    EXPECT_EQ(mine.owners(), (std::vector<std::uint64_t>{1, 2}));
    mine.drop_owner(2, start + 30s);
    EXPECT_EQ(mine.use(start + 30s).calls_minute.used, 4u);
    EXPECT_EQ(mine.use(start + 61s).calls_minute.used, 2u) << "the open one, and the one that was left behind";
    mine.end_call(open, start + 61s, true);
    EXPECT_EQ(mine.use(start + 91s).calls_minute.used, 1u);
    EXPECT_EQ(mine.use(start + 91s).calls_hour.used, 4u);
}

// As the service counts them, at any moment between sending and reply.
TEST(call_windows, are_never_passed_at_the_service) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 draw(seed);
        quota_ledger ledger(calls(10, 50));
        std::vector<std::pair<monotonic_time, std::uint64_t>> open;
        std::vector<monotonic_time> seen;
        monotonic_time now = start;
        for (int step = 0; step < 3000; ++step) {
            now += std::chrono::milliseconds(draw() % 4000);
            std::erase_if(open, [&](const auto& one) {
                const bool ends = one.first <= now;
                if (ends) {
                    ledger.end_call(one.second, now, true);
                }
                return ends;
            });
            const admission_decision decision = ledger.reserve_call(now);
            if (decision.reservation) {
                const auto took = std::chrono::milliseconds(draw() % 20'000);
                open.emplace_back(now + took, *decision.reservation);
                seen.push_back(now + took * (draw() % 100) / 100);
            }
            ledger_state state = ledger.snapshot();
            ledger.restore(state);
        }
        std::ranges::sort(seen);
        for (std::size_t i = 0; i < seen.size(); ++i) {
            ASSERT_TRUE(i < 10 || seen[i] - seen[i - 10] >= 60s);
            ASSERT_TRUE(i < 50 || seen[i] - seen[i - 50] >= 1h);
        }
        EXPECT_GE(seen.size(), 50u);
    }
}

}  // namespace
}  // namespace vembed::policy
