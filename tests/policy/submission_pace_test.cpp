#include "policy/quota/submission_pace.hpp"

#include <random>

#include <gtest/gtest.h>

#include "support/moments.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;
using testing::at;

rate_refusal refusal(monotonic_time now, monotonic_clock::duration retry_after = 1s) {
    rate_refusal what;
    what.now = now;
    what.sent_at = now - 5ms;
    what.retry_after = retry_after;
    what.borne_since = now;
    return what;
}

TEST(submission_pace, nothing_is_paced_before_a_refusal) {
    submission_pace pace;
    for (int i = 0; i < 1000; ++i) {
        pace.sent(at(0s), 100, 60);
        EXPECT_EQ(pace.next(at(0s)), at(0s));
    }
    EXPECT_FALSE(pace.rate());
}

TEST(submission_pace, after_one_chunks_go_evenly_at_the_known_limit_less_a_margin) {
    submission_pace pace;
    pace.refused(refusal(at(0s)), 6000);
    ASSERT_TRUE(pace.rate());
    EXPECT_DOUBLE_EQ(*pace.rate(), 98);
    monotonic_time now = at(0s);
    std::uint64_t chunks = 0;
    for (; now < at(60s); now = pace.next(now)) {
        const std::uint64_t size = 1 + chunks % 7;
        const monotonic_time before = pace.next(now);
        pace.sent(now, size, 6000);
        EXPECT_EQ(before, now);
        chunks += size;
    }
    EXPECT_NEAR(static_cast<double>(chunks), 98 * 60, 8);
}

TEST(submission_pace, a_further_refusal_lowers_the_rate_once_for_all_that_was_under_way) {
    submission_pace pace;
    pace.refused(refusal(at(0s)), 6000);
    for (int i = 0; i < 20; ++i) {
        pace.refused(refusal(at(3ms)), 6000);
    }
    EXPECT_DOUBLE_EQ(*pace.rate(), 98) << "sent before the first refusal was known";
    pace.refused(refusal(at(1s)), 6000);
    EXPECT_DOUBLE_EQ(*pace.rate(), 98 * submission_pace::lowered);
}

TEST(submission_pace, it_recovers_to_the_limit_in_about_a_minute_of_use_and_no_further) {
    submission_pace pace;
    pace.refused(refusal(at(0s)), 6000);
    pace.refused(refusal(at(1s)), 6000);
    monotonic_time now = at(1s);
    for (; now < at(31s); now = pace.next(now)) {
        pace.sent(now, 1, 6000);
    }
    EXPECT_NEAR(*pace.rate(), 98 * 0.85, 1);
    for (; now < at(90s); now = pace.next(now)) {
        pace.sent(now, 1, 6000);
    }
    EXPECT_DOUBLE_EQ(*pace.rate(), 98);
    submission_pace idle;
    idle.refused(refusal(at(0s)), 6000);
    idle.refused(refusal(at(1s)), 6000);
    idle.sent(at(30min), 1, 6000);
    EXPECT_LT(*idle.rate(), 98 * 0.75) << "time without use teaches nothing";
}

TEST(submission_pace, is_forgotten_an_hour_after_the_last_refusal) {
    submission_pace pace;
    pace.refused(refusal(at(0s)), 6000);
    pace.sent(at(59min), 1, 6000);
    EXPECT_TRUE(pace.rate());
    pace.sent(at(60min), 1, 6000);
    EXPECT_FALSE(pace.rate());
}

TEST(submission_pace, a_late_one_is_made_up_for_and_idle_time_is_not) {
    submission_pace pace;
    pace.refused(refusal(at(0s)), 600);
    pace.sent(at(0s), 98, 600);
    EXPECT_EQ(pace.next(at(0s)), at(10s));
    pace.sent(at(10s + 8ms), 98, 600);
    EXPECT_EQ(pace.next(at(10s)), at(20s));
    pace.sent(at(100s), 98, 600);
    EXPECT_EQ(pace.next(at(100s)), at(110s));
}

// What is let through when limits are not known, by servers of two shapes.
class unknown_limit {
public:
    explicit unknown_limit(double holds) : holds_(holds) {}

    // One minute after the other: chunks accepted, and refusals.
    std::pair<std::uint64_t, std::uint64_t> minute() {
        const monotonic_time end = now_ + 60s;
        std::uint64_t accepted = 0;
        std::uint64_t refusals = 0;
        while (now_ < end) {
            level_ = std::max(0.0, level_ - std::chrono::duration<double>(now_ - drained_at_).count() * rate);
            drained_at_ = now_;
            const monotonic_time made = now_;
            pace_.sent(now_, 1, std::nullopt);
            if (level_ + 1 <= holds_ + 1e-9) {
                level_ += 1;
                ++accepted;
                ++total_;
                pace_.accepted(1);
                now_ = std::max(now_ + 1ms, pace_.next(now_));
            } else {
                ++refusals;
                rate_refusal what;
                what.now = now_;
                what.sent_at = made;
                what.retry_after = 1s;
                what.borne_in_minute = total_;
                what.borne_since = at(0s);
                pace_.refused(what, std::nullopt);
                now_ += 1s;
            }
        }
        return {accepted, refusals};
    }

    static constexpr double rate = 10;  // A second.

private:
    double holds_;
    double level_ = 0;
    monotonic_time now_ = at(0s);
    monotonic_time drained_at_ = at(0s);
    std::uint64_t total_ = 0;
    submission_pace pace_;
};

TEST(submission_pace, a_limit_that_nobody_told_is_found) {
    for (const double holds : {1.0, 10.0, 600.0}) {
        SCOPED_TRACE(holds);
        unknown_limit server(holds);
        for (int i = 0; i < 5; ++i) {
            (void)server.minute();
        }
        for (int i = 0; i < 10; ++i) {
            const auto [accepted, refusals] = server.minute();
            EXPECT_GE(accepted, 60 * unknown_limit::rate * 0.75);
            EXPECT_LE(refusals, 3u);
        }
    }
}

}  // namespace
}  // namespace vembed::policy
