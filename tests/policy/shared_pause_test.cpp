#include "policy/quota/shared_pause.hpp"

#include <gtest/gtest.h>

#include "support/moments.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;
using testing::at;

TEST(shared_pause, every_second_lets_twice_as_many_back) {
    struct row {
        monotonic_clock::duration elapsed;
        double units;
    };
    for (const row& want : {row{0s, 0}, row{500ms, 5}, row{1s, 10}, row{1500ms, 20}, row{2s, 30}, row{3s, 70},
                            row{10s, 10'230}, row{60s, 10'230}, row{-1s, 0}}) {
        EXPECT_DOUBLE_EQ(units_returned(want.elapsed, 10), want.units);
    }
}

TEST(shared_pause, the_time_of_a_unit_is_the_inverse) {
    for (const double share : {1.0, 2.5, 100.0}) {
        for (double units = 0; units < 900 * share; units += 0.7 * share) {
            const auto when = return_time(units, share);
            EXPECT_NEAR(units_returned(when, share), units, 1e-6 * share * 1000);
            EXPECT_GE(units_returned(when, share) + 1e-9 * share * 1000, units) << "never too early";
        }
        EXPECT_EQ(return_time(1e12, share), return_length) << "nobody waits longer than that";
    }
}

TEST(shared_pause, nobody_is_held_where_nobody_asked_for_quiet) {
    shared_pause pause;
    EXPECT_TRUE(pause.over(at(0s)));
    EXPECT_FALSE(pause.closed(at(0s)));
    EXPECT_EQ(pause.next(at(0s), 1), at(0s));
    pause.sent(at(0s), 1000, 1);
    EXPECT_EQ(pause.next(at(0s), 1), at(0s));
}

TEST(shared_pause, the_longest_wish_wins_and_starts_the_return_anew) {
    shared_pause pause;
    EXPECT_TRUE(pause.extend(at(30s), errc::rate_limited));
    EXPECT_FALSE(pause.extend(at(10s), errc::service_busy));
    EXPECT_EQ(pause.state().because, errc::rate_limited);
    EXPECT_TRUE(pause.closed(at(30s - 1ns)));
    EXPECT_FALSE(pause.closed(at(30s)));
    EXPECT_EQ(pause.next(at(5s), 10), at(30s));
    pause.sent(at(30s), 10, 10);
    EXPECT_EQ(pause.next(at(30s), 10), at(31s));
    EXPECT_TRUE(pause.extend(at(40s), errc::service_busy));
    EXPECT_EQ(pause.next(at(31s), 10), at(40s));
    EXPECT_FALSE(pause.over(at(50s) - 1ns));
    EXPECT_TRUE(pause.over(at(50s)));
}

TEST(shared_pause, those_who_wait_get_one_moment_each) {
    shared_pause pause;
    pause.extend(at(0s), errc::service_busy);
    std::vector<monotonic_time> moments;
    for (int i = 0; i < 40; ++i) {
        moments.push_back(pause.next(at(-5s), 10));
        pause.sent(moments.back(), 1, 10);
    }
    const auto within = [&](monotonic_time from, monotonic_time to) {
        return std::count_if(moments.begin(), moments.end(), [&](auto when) { return when >= from && when < to; });
    };
    EXPECT_EQ(within(at(0s), at(1s)), 10);
    EXPECT_EQ(within(at(1s), at(2s)), 20);
    EXPECT_EQ(moments.front(), at(0s));
}

TEST(shared_pause, time_without_requests_is_not_saved_up) {
    shared_pause pause;
    pause.extend(at(0s), errc::service_busy);
    pause.sent(at(2s), 4, 1);
    EXPECT_EQ(pause.next(at(2s), 1), at(3s)) << "the third second lets four through, and they are gone";
}

}  // namespace
}  // namespace vembed::policy
