#include "policy/quota/usage_window.hpp"

#include <deque>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "support/moments.hpp"
#include "support/repetitions.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;
using testing::at;

TEST(usage_window, a_single_use_stays_for_exactly_the_length) {
    usage_window window(60s, 250ms);
    window.add(at(100ms), 5, 1);
    window.expire(at(60'099ms));
    EXPECT_EQ(window.chunks(), 5u);
    EXPECT_EQ(window.requests(), 1u);
    window.expire(at(60'100ms));
    EXPECT_EQ(window.chunks(), 0u);
    EXPECT_EQ(window.requests(), 0u);
    EXPECT_TRUE(window.buckets().empty());
}

TEST(usage_window, uses_of_one_grain_leave_together_with_the_last_of_them) {
    usage_window window(60s, 250ms);
    window.add(at(0ms), 1, 1);
    window.add(at(240ms), 2, 1);
    window.add(at(250ms), 4, 1);
    ASSERT_EQ(window.buckets().size(), 2u);
    EXPECT_EQ(window.buckets().front().at, at(240ms));
    window.expire(at(60'239ms));
    EXPECT_EQ(window.chunks(), 7u);
    window.expire(at(60'240ms));
    EXPECT_EQ(window.chunks(), 4u);
}

TEST(usage_window, says_when_enough_will_have_left) {
    usage_window window(60s, 250ms);
    window.add(at(0s), 10, 1);
    window.add(at(5s), 20, 1);
    window.add(at(9s), 30, 5);
    struct row {
        std::uint64_t chunks, requests;
        std::optional<monotonic_time> expected;
    };
    for (const row& want : {row{1, 0, at(60s)}, row{10, 0, at(60s)}, row{11, 0, at(65s)}, row{30, 0, at(65s)},
                            row{31, 0, at(69s)}, row{60, 7, at(69s)}, row{61, 0, std::nullopt}, row{0, 2, at(65s)},
                            row{0, 8, std::nullopt}, row{0, 0, at(60s)}}) {
        EXPECT_EQ(window.freed_at(want.chunks, want.requests), want.expected) << want.chunks << " " << want.requests;
    }
    EXPECT_EQ(usage_window(60s, 1s).freed_at(1, 0), std::nullopt);
}

TEST(usage_window, takes_uses_in_any_order) {
    usage_window window(60s, 1s);
    window.add(at(10s), 1, 1);
    window.add(at(3s), 2, 1);
    window.add(at(3'900ms), 4, 1);
    window.add(at(3'100ms), 8, 1);
    ASSERT_EQ(window.buckets().size(), 2u);
    EXPECT_EQ(window.buckets()[0].chunks, 14u);
    EXPECT_EQ(window.buckets()[0].at, at(3'900ms));
    usage_window again(60s, 1s);
    std::vector<usage_bucket> turned(window.buckets().rbegin(), window.buckets().rend());
    again.assign(turned);
    EXPECT_EQ(again.buckets(), window.buckets());
    EXPECT_EQ(again.chunks(), 15u);
    EXPECT_EQ(again.requests(), 4u);
}

// Against a log of every single use: never fewer than that, never one that is a grain too old, and never more buckets
// than grains.
TEST(usage_window, errs_on_the_safe_side_only_and_by_a_grain_at_most) {
    for (std::uint64_t seed = 1; seed <= testing::repetitions(50, 50); ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 draw(seed);
        usage_window window(60s, 250ms);
        std::deque<std::pair<monotonic_time, std::uint64_t>> all;
        monotonic_time now = at(0s);
        for (int i = 0; i < 2000; ++i) {
            now += std::chrono::milliseconds(draw() % 200);
            const std::uint64_t chunks = draw() % 10;
            window.add(now, chunks, 1);
            all.emplace_back(now, chunks);
            window.expire(now);
            while (all.front().first + 61s < now) {
                all.pop_front();
            }
            std::uint64_t least = 0;
            std::uint64_t most = 0;
            for (const auto& [when, used] : all) {
                least += when + 60s > now ? used : 0;
                most += when + 60s + 250ms > now ? used : 0;
            }
            ASSERT_GE(window.chunks(), least);
            ASSERT_LE(window.chunks(), most);
            ASSERT_LE(window.buckets().size(), 241u);
        }
    }
}

TEST(usage_window, tells_what_was_added_since) {
    usage_window window(60s, 1s);
    window.add(monotonic_time(10s), 3, 1);
    window.add(monotonic_time(20s), 5, 1);
    const std::vector<usage_bucket> then = window.buckets();
    EXPECT_TRUE(window.since(then).empty());
    window.add(monotonic_time(20s + 300ms), 2, 1);  // in a grain that was begun
    window.add(monotonic_time(30s), 7, 1);
    window.expire(monotonic_time(71s));
    const std::vector<usage_bucket> added = window.since(then);
    ASSERT_EQ(added.size(), 2U);
    EXPECT_EQ(added[0].at, monotonic_time(20s + 300ms));
    EXPECT_EQ(added[0].chunks, 2U);
    EXPECT_EQ(added[0].requests, 1U);
    EXPECT_EQ(added[1].chunks, 7U);
    EXPECT_EQ(window.since({}), window.buckets());
}

}  // namespace
}  // namespace vembed::policy
