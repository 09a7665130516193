#include "service/account/quota_window.hpp"

#include <gtest/gtest.h>

#include "support/moments.hpp"

namespace vembed::service {
namespace {

using namespace std::chrono_literals;
using testing::at;

TEST(quota_window, counts_what_was_charged_within_its_length) {
    quota_window window(60, 60s, 1ms);
    window.charge(40, at(0s));
    window.charge(20, at(10s));
    EXPECT_EQ(window.used(at(59s)), 60u);
    EXPECT_FALSE(window.fits(1, at(59'999ms)));
    EXPECT_TRUE(window.fits(40, at(60s)));
    EXPECT_FALSE(window.fits(41, at(60s)));
    EXPECT_TRUE(window.fits(60, at(70s)));
    EXPECT_EQ(window.used(at(70s)), 0u);
}

TEST(quota_window, says_when_there_is_room) {
    quota_window window(60, 60s, 1ms);
    window.charge(30, at(0s));
    window.charge(30, at(10s));
    EXPECT_EQ(window.room_at(1, at(20s)), at(60s));
    EXPECT_EQ(window.room_at(30, at(20s)), at(60s));
    EXPECT_EQ(window.room_at(31, at(20s)), at(70s));
    EXPECT_EQ(window.room_at(61, at(20s)), std::nullopt);
    EXPECT_EQ(window.room_at(60, at(80s)), at(80s));
}

TEST(quota_window, counts_a_charge_over_its_cap_in_full) {
    quota_window window(60, 60s, 1ms);
    window.charge(100, at(0s));
    EXPECT_FALSE(window.fits(0, at(1s)));
    EXPECT_EQ(window.room_at(60, at(1s)), at(60s));
}

TEST(quota_window, takes_back_the_newest_first) {
    quota_window window(10, 60s, 1ms);
    window.charge(6, at(0s));
    window.charge(4, at(10s));
    window.refund(5);
    EXPECT_EQ(window.used(at(20s)), 5u);
    EXPECT_EQ(window.used(at(60s)), 0u);
    window.refund(100);
    EXPECT_EQ(window.used(at(61s)), 0u);
}

TEST(quota_window, merges_charges_within_a_grain_without_lengthening_them) {
    quota_window window(10, 60s, 1s);
    window.charge(5, at(0s));
    window.charge(5, at(999ms));
    EXPECT_EQ(window.used(at(59'999ms)), 10u);
    EXPECT_EQ(window.used(at(60s)), 0u);
}

}  // namespace
}  // namespace vembed::service
