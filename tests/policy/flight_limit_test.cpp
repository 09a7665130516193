#include "policy/quota/flight_limit.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "support/moments.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;
using testing::at;

TEST(flight_limit, each_accepted_submission_admits_two_more) {
    flight_limit limit;
    std::uint64_t borne = 0;
    std::uint64_t unanswered = 0;
    std::vector<std::uint64_t> after_each_answer_time;
    for (int round = 0; round < 12; ++round) {
        for (; !limit.wait(at(0s), borne, unanswered); ++unanswered) {
        }
        after_each_answer_time.push_back(unanswered);
        for (; unanswered > 0; --unanswered) {
            limit.accepted(at(0s), ++borne);
        }
    }
    for (std::size_t i = 0; i < after_each_answer_time.size(); ++i) {
        EXPECT_EQ(after_each_answer_time[i], std::uint64_t{1} << i);
    }
    EXPECT_EQ(limit.wait(at(0s), 0, std::uint64_t{1} << 30), no_deadline) << "an answer must come first";
}

TEST(flight_limit, a_refusal_shows_the_cap_and_those_under_way_with_it_may_raise_it) {
    flight_limit limit;
    for (std::uint64_t borne = 1; borne <= 10; ++borne) {
        limit.accepted(at(0s), borne);
    }
    limit.refused(at(1s), 10);
    EXPECT_EQ(limit.state().cap, 10u);
    limit.accepted(at(1s), 11);
    limit.accepted(at(1s), 12);
    EXPECT_EQ(limit.state().cap, 12u);
    EXPECT_FALSE(limit.state().climbing);
    limit.refused(at(1s), 12);
    EXPECT_EQ(limit.state().cap, 12u);
    EXPECT_EQ(limit.wait(at(2s), 11, 0), std::nullopt);
    EXPECT_EQ(limit.wait(at(2s), 11, 1), no_deadline) << "one at a time after a refusal";
    EXPECT_EQ(limit.wait(at(2s), 12, 0), at(1s) + flight_limit::try_again_slowly);
}

// The limit after `count` more jobs were accepted at the cap.
flight_limit after_accepting(flight_limit limit, std::uint64_t count, std::uint64_t cap) {
    for (std::uint64_t i = 0; i < count; ++i) {
        limit.accepted(at(5s), cap);
    }
    return limit;
}

TEST(flight_limit, one_more_is_tried_now_and_then) {
    flight_limit limit;
    limit.refused(at(0s), 10);
    EXPECT_EQ(limit.wait(at(299s), 10, 0), at(300s)) << "hardly anything was accepted since";
    EXPECT_EQ(limit.wait(at(300s), 10, 0), std::nullopt);
    const flight_limit enough = after_accepting(limit, flight_limit::accepted_enough, 10);
    EXPECT_EQ(enough.wait(at(23s), 10, 0), at(24s));
    EXPECT_EQ(enough.wait(at(24s), 10, 0), std::nullopt);
    EXPECT_EQ(enough.wait(at(24s), 10, 1), no_deadline) << "one";
    EXPECT_EQ(enough.wait(at(24s), 9, 1), no_deadline);
    flight_limit many = after_accepting(limit, flight_limit::accepted_many, 10);
    EXPECT_EQ(many.wait(at(14s), 10, 0), at(15s)) << "sooner where much was accepted meanwhile";
    EXPECT_EQ(many.wait(at(15s), 10, 0), std::nullopt);
    many.refused(at(15s), 10);
    EXPECT_EQ(many.state().cap, 10u);
    EXPECT_EQ(many.wait(at(16s), 10, 0), at(315s));
}

TEST(flight_limit, the_climb_goes_on_while_it_is_borne_and_gets_bolder) {
    flight_limit limit;
    limit.refused(at(0s), 10);
    limit = after_accepting(limit, flight_limit::accepted_enough, 10);
    std::uint64_t borne = 10;
    for (int i = 0; i < 40; ++i) {
        ASSERT_EQ(limit.wait(at(24s), borne, 0), std::nullopt) << borne;
        limit.accepted(at(24s), ++borne);
        EXPECT_EQ(limit.state().cap, borne);
    }
    std::uint64_t unanswered = 0;
    for (; !limit.wait(at(24s), borne, unanswered); ++unanswered) {
    }
    EXPECT_GE(unanswered, 4u);
    EXPECT_LE(unanswered, 12u);
    limit.refused(at(25s), borne);
    EXPECT_EQ(limit.wait(at(25s), borne, 0), at(325s));
}

TEST(flight_limit, never_falls_below_one) {
    flight_limit limit;
    for (int i = 0; i < 5; ++i) {
        limit.refused(at(0s), 0);
        EXPECT_EQ(limit.state().cap, 1u);
        EXPECT_EQ(limit.wait(at(0s), 0, 0), std::nullopt);
    }
}

TEST(flight_limit, its_state_is_all_of_it) {
    flight_limit limit;
    limit.refused(at(0s), 10);
    limit.accepted(at(24s), 11);
    const flight_limit copy(limit.state());
    for (std::uint64_t borne = 0; borne < 30; ++borne) {
        EXPECT_EQ(copy.wait(at(25s), borne, 0), limit.wait(at(25s), borne, 0));
    }
}

}  // namespace
}  // namespace vembed::policy
