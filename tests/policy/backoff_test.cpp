#include "policy/retry/backoff.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t all_bits = std::numeric_limits<std::uint64_t>::max();

TEST(backoff, doubles_up_to_the_longest_delay_and_ends_with_the_tries) {
    backoff_options options;
    options.delay_ms_first = 250ms;
    options.delay_ms_max = 1500ms;
    options.tries_max = 6;
    const std::chrono::milliseconds full[] = {250ms, 500ms, 1000ms, 1500ms, 1500ms};
    for (std::uint32_t made = 1; made <= 5; ++made) {
        EXPECT_EQ(backoff_delay(options, made, 0), full[made - 1]) << made;
    }
    EXPECT_FALSE(backoff_delay(options, 6, 0));
    EXPECT_FALSE(backoff_delay(options, 7, 0));
    EXPECT_FALSE(backoff_delay(options, std::numeric_limits<std::uint32_t>::max(), 0));
}

TEST(backoff, spreads_over_the_upper_half) {
    backoff_options options;
    options.delay_ms_first = 100ms;
    bool low = false;
    bool high = false;
    for (std::uint64_t bits = 0; bits < 51; ++bits) {
        const auto delay = backoff_delay(options, 1, bits);
        ASSERT_TRUE(delay);
        EXPECT_GE(*delay, 50ms);
        EXPECT_LE(*delay, 100ms);
        low = low || *delay == 50ms;
        high = high || *delay == 100ms;
    }
    EXPECT_TRUE(low && high);
}

TEST(backoff, stays_within_bounds_for_any_options) {
    const std::chrono::milliseconds edges[] = {-5ms, 0ms, 1ms, 7ms, std::chrono::milliseconds::max()};
    for (const auto first : edges) {
        for (const auto longest : edges) {
            backoff_options options;
            options.delay_ms_first = first;
            options.delay_ms_max = longest;
            options.tries_max = all_bits >> 32;
            for (const std::uint32_t made : {0u, 1u, 2u, 30u, 31u, 32u, 64u, 4'000'000'000u}) {
                for (const std::uint64_t bits : {std::uint64_t{0}, std::uint64_t{1}, all_bits}) {
                    const auto delay = backoff_delay(options, made, bits);
                    ASSERT_TRUE(delay);
                    EXPECT_GT(*delay, 0ms);
                    EXPECT_LE(*delay, std::max(longest, 1ms));
                }
            }
        }
    }
}

TEST(positive_jitter, is_never_early_and_never_much_later) {
    struct jitter_case {
        std::chrono::milliseconds wait;
        std::chrono::milliseconds most;
    };
    for (const jitter_case& c : {jitter_case{0ms, 10ms}, jitter_case{1ms, 10ms}, jitter_case{1s, 100ms},
                                 jitter_case{20s, 2s}, jitter_case{24h, 2s}}) {
        for (const std::uint64_t bits : {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{1999}, all_bits}) {
            const auto stretched = with_positive_jitter(c.wait, bits);
            EXPECT_GE(stretched, c.wait);
            EXPECT_LT(stretched, c.wait + c.most);
        }
    }
    EXPECT_EQ(with_positive_jitter(1s, 0), 1000ms);
    EXPECT_EQ(with_positive_jitter(1s, 99), 1099ms);
}

}  // namespace
}  // namespace vembed::policy
