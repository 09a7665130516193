#include "runtime/wait_queue.hpp"

#include <gtest/gtest.h>

#include "support/virtual_time.hpp"

namespace vembed::runtime {
namespace {

using namespace std::chrono_literals;

// Takes a place, waits until it is woken as the first, and notes its name.
asio::awaitable<wait_outcome> stand_in_line(wait_queue* queue, std::string* order, char name, monotonic_time deadline) {
    wait_queue::place place(*queue);
    for (;;) {
        const wait_outcome outcome = co_await place.wait_until(deadline);
        if (outcome != wait_outcome::woken || place.first()) {
            *order += name;
            co_return outcome;
        }
    }
}

class wait_queue_test : public ::testing::Test {
protected:
    testing_support::begun<wait_outcome> stand(char name, monotonic_time deadline = no_deadline) {
        auto standing = world.begin(stand_in_line(&queue, &order, name, deadline));
        world.run_until(0s);
        return standing;
    }

    testing_support::simulation world;
    wait_queue queue{world.context.get_executor(), world.env};
    std::string order;
};

TEST_F(wait_queue_test, the_first_is_woken_and_wakes_the_next_when_it_leaves) {
    auto a = stand('a');
    auto b = stand('b');
    auto c = stand('c');
    EXPECT_EQ(queue.size(), 3u);
    queue.wake_first();
    world.run_until(0s);
    EXPECT_EQ(order, "abc") << "each lets the next look";
    EXPECT_TRUE(queue.empty());
}

TEST_F(wait_queue_test, one_that_leaves_from_the_middle_disturbs_nobody) {
    auto a = stand('a');
    auto b = stand('b');
    auto c = stand('c');
    b.cancel();
    world.run_until(0s);
    EXPECT_EQ(order, "b");
    EXPECT_EQ(b.value(), wait_outcome::cancelled);
    EXPECT_EQ(queue.size(), 2u);
    queue.wake_all();
    world.run_until(0s);
    EXPECT_EQ(order, "bac");
}

TEST_F(wait_queue_test, one_that_gives_up_in_front_lets_the_next_look) {
    auto a = stand('a', world.start + 1s);
    auto b = stand('b');
    world.run();
    EXPECT_EQ(order, "ab");
    EXPECT_EQ(a.value(), wait_outcome::expired);
}

TEST_F(wait_queue_test, waking_nobody_is_nothing) {
    queue.wake_first();
    queue.wake_all();
    EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace vembed::runtime
