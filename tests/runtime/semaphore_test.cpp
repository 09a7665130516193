#include "runtime/semaphore.hpp"

#include <gtest/gtest.h>

#include "support/virtual_time.hpp"

namespace vembed::runtime {
namespace {

using namespace std::chrono_literals;

// Holds a permit for a second, and notes when it had it.
asio::awaitable<bool> hold(semaphore* of, std::shared_ptr<environment> env, std::string* order, char name) {
    semaphore::permit permit;
    const bool acquired = co_await of->acquire(&permit);
    if (acquired) {
        *order += name;
        const monotonic_time until = deadline_after(env->now(), 1s);
        co_await sleep_until(env, until);
    }
    co_return acquired;
}

class semaphore_test : public ::testing::Test {
protected:
    testing_support::begun<bool> begin(char name) {
        auto begun = world.begin(hold(&two, world.env, &order, name));
        world.run_until(0s);
        return begun;
    }

    testing_support::simulation world;
    semaphore two{world.context.get_executor(), world.env, 2};
    std::string order;
};

TEST_F(semaphore_test, no_more_hold_a_permit_than_there_are) {
    auto a = begin('a');
    auto b = begin('b');
    auto c = begin('c');
    auto d = begin('d');
    EXPECT_EQ(order, "ab");
    world.run_until(1500ms);
    EXPECT_EQ(order, "abcd") << "first come, first served";
    world.run_until(3s);
    EXPECT_TRUE(d.value());
}

TEST_F(semaphore_test, who_is_cancelled_in_line_takes_none) {
    auto a = begin('a');
    auto b = begin('b');
    auto c = begin('c');
    auto d = begin('d');
    c.cancel();
    world.run_until(1500ms);
    EXPECT_FALSE(c.value());
    EXPECT_EQ(order, "abd");
}

asio::awaitable<bool> take_twice(semaphore* of, std::string* order) {
    semaphore::permit first;
    semaphore::permit second;
    co_await of->acquire(&first);
    const bool again = co_await of->acquire(&first);
    co_await of->acquire(&second);
    *order += again && second.held() ? "one and another" : "something else";
    first.release();
    first.release();
    *order += first.held() ? ", kept" : ", given back";
    const bool taken = co_await of->acquire(&first);
    *order += ", taken";
    co_return taken;
}

TEST_F(semaphore_test, a_permit_is_one_however_often_it_is_asked_for_or_given_back) {
    auto taking = world.begin(take_twice(&two, &order));
    world.run_until(0s);
    EXPECT_TRUE(taking.value());
    EXPECT_EQ(order, "one and another, given back, taken");
    auto a = begin('a');
    auto b = begin('b');
    EXPECT_EQ(order, "one and another, given back, takenab") << "both went back when the coroutine ended";
}

}  // namespace
}  // namespace vembed::runtime
