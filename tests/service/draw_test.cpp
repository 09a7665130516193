#include "service/faults/draw.hpp"

#include <set>

#include <gtest/gtest.h>

namespace vembed::service {
namespace {

TEST(draw, is_decided_by_seed_subject_and_purpose) {
    EXPECT_EQ(draw(1, 2, purpose::drop), draw(1, 2, purpose::drop));
    EXPECT_NE(draw(1, 2, purpose::drop), draw(2, 2, purpose::drop));
    EXPECT_NE(draw(1, 2, purpose::drop), draw(1, 3, purpose::drop));
    EXPECT_NE(draw(1, 2, purpose::drop), draw(1, 2, purpose::busy));
}

TEST(draw, strikes_as_often_as_the_probability_says) {
    int struck = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        struck += draw_strikes(7, i, purpose::drop, 0.02) ? 1 : 0;
        EXPECT_FALSE(draw_strikes(7, i, purpose::busy, 0));
        EXPECT_TRUE(draw_strikes(7, i, purpose::busy, 1));
    }
    EXPECT_NEAR(struck, 2000, 200);
}

TEST(draw, gives_identifiers_without_repeats) {
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        const std::string id = draw_hex(1, i, purpose::job_id, 40);
        ASSERT_EQ(id.size(), 40u);
        ASSERT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
        ASSERT_TRUE(seen.insert(id).second);
    }
}

}  // namespace
}  // namespace vembed::service
