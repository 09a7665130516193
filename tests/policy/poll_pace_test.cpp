#include "policy/retry/poll_pace.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

TEST(poll_pace, doubles_while_early_answers_show_the_same) {
    poll_pace pace;
    EXPECT_EQ(pace.after("EXECUTING", 0s), 1s);
    EXPECT_EQ(pace.after("EXECUTING", 10ms), 2s);
    EXPECT_EQ(pace.after("EXECUTING", 10ms), 4s);
    EXPECT_EQ(pace.after("EXECUTING", 10ms), 5s);
    EXPECT_EQ(pace.after("EXECUTING", 10ms), 5s);
    EXPECT_EQ(pace.after("PROVING", 10ms), 1s) << "something happens";
    EXPECT_EQ(pace.after("PROVING", 10ms), 2s);
}

TEST(poll_pace, a_poll_that_was_held_is_followed_at_once) {
    poll_pace pace;
    EXPECT_EQ(pace.after("EXECUTING", 30s), 1s);
    EXPECT_EQ(pace.after("EXECUTING", 30s), 1s);
    EXPECT_EQ(pace.after("EXECUTING", 0s), 2s);
    EXPECT_EQ(pace.after("EXECUTING", 30s), 1s);
}

}  // namespace
}  // namespace vembed::policy
