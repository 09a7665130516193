#include "runtime/task_group.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "support/virtual_time.hpp"

namespace vembed::runtime {
namespace {

using namespace std::chrono_literals;

class notes {
public:
    int ended = 0;
    int cancelled = 0;
};

asio::awaitable<void> sleep_for(std::shared_ptr<environment> env, std::chrono::seconds delay, notes* into) {
    const monotonic_time until = deadline_after(env->now(), delay);
    const wait_outcome outcome = co_await sleep_until(env, until);
    ++into->ended;
    into->cancelled += outcome == wait_outcome::cancelled ? 1 : 0;
}

asio::awaitable<void> throw_after(std::shared_ptr<environment> env, std::chrono::seconds delay) {
    const monotonic_time until = deadline_after(env->now(), delay);
    co_await sleep_until(env, until);
    throw std::runtime_error("a child failed");
}

// A child that takes its time to end after it was cancelled.
asio::awaitable<void> linger(std::shared_ptr<environment> env, notes* into) {
    const wait_outcome outcome = co_await sleep_until(env, no_deadline);
    into->cancelled += outcome == wait_outcome::cancelled ? 1 : 0;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const monotonic_time until = deadline_after(env->now(), 10s);
    co_await sleep_until(env, until);
    ++into->ended;
}

asio::awaitable<std::string> join_and_catch(task_group* group) {
    try {
        const bool undisturbed = co_await group->join();
        co_return undisturbed ? "undisturbed" : "disturbed";
    } catch (const std::runtime_error& e) {
        co_return e.what();
    }
}

class task_group_test : public ::testing::Test {
protected:
    testing_support::simulation world;
    notes seen;
    std::optional<task_group> group{std::in_place, world.context.get_executor(), world.env};
};

TEST_F(task_group_test, joins_when_the_last_child_has_ended) {
    for (const auto delay : {3s, 1s, 2s}) {
        group->spawn(sleep_for(world.env, delay, &seen));
    }
    EXPECT_EQ(group->running(), 3u);
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed");
    EXPECT_EQ(world.elapsed(), 3s);
    EXPECT_EQ(seen.ended, 3);
    EXPECT_EQ(seen.cancelled, 0);
    EXPECT_EQ(group->running(), 0u);
}

TEST_F(task_group_test, without_children_there_is_nothing_to_wait_for) {
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed");
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed");
}

TEST_F(task_group_test, children_that_end_before_the_join_are_not_waited_for) {
    group->spawn(sleep_for(world.env, 1s, &seen));
    world.run();
    EXPECT_EQ(group->running(), 0u);
    group->spawn(sleep_for(world.env, 2s, &seen));
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed");
    EXPECT_EQ(seen.ended, 2);
}

TEST_F(task_group_test, an_exception_cancels_the_others_and_arrives_at_the_join_after_they_ended) {
    group->spawn(throw_after(world.env, 1s));
    group->spawn(throw_after(world.env, 1s));
    group->spawn(sleep_for(world.env, 100s, &seen));
    group->spawn(linger(world.env, &seen));
    EXPECT_EQ(world.run(join_and_catch(&*group)), "a child failed");
    EXPECT_EQ(world.elapsed(), 11s);
    EXPECT_EQ(seen.cancelled, 2);
    EXPECT_EQ(seen.ended, 2);
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed") << "told once";
}

TEST_F(task_group_test, cancel_reaches_every_child) {
    for (int i = 0; i < 100; ++i) {
        group->spawn(sleep_for(world.env, 100s, &seen));
    }
    world.run_until(1s);
    group->cancel();
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed");
    EXPECT_EQ(seen.cancelled, 100);
    EXPECT_EQ(world.elapsed(), 1s);
}

TEST_F(task_group_test, a_child_that_comes_after_the_cancellation_never_begins) {
    group->spawn(sleep_for(world.env, 100s, &seen));
    group->cancel();
    group->spawn(sleep_for(world.env, 100s, &seen));
    EXPECT_EQ(world.run(join_and_catch(&*group)), "undisturbed");
    EXPECT_EQ(seen.cancelled, 1);
    EXPECT_EQ(seen.ended, 1);
}

TEST_F(task_group_test, a_join_that_is_cancelled_cancels_the_children_and_waits_for_them) {
    group->spawn(linger(world.env, &seen));
    group->spawn(sleep_for(world.env, 100s, &seen));
    auto joining = world.begin(join_and_catch(&*group));
    world.run_until(5s);
    EXPECT_FALSE(joining.ended());
    joining.cancel();
    world.run_until(14s);
    EXPECT_FALSE(joining.ended()) << "one child still lingers";
    EXPECT_EQ(seen.cancelled, 2);
    world.run();
    EXPECT_EQ(joining.value(), "disturbed");
    EXPECT_EQ(seen.ended, 2);
}

TEST_F(task_group_test, a_group_that_goes_cancels_its_children) {
    group->spawn(sleep_for(world.env, 100s, &seen));
    world.run_until(1s);
    group.reset();
    world.run();
    EXPECT_EQ(seen.cancelled, 1);
    EXPECT_EQ(world.elapsed(), 1s);
}

TEST_F(task_group_test, may_go_before_its_children_have_begun) {
    group->spawn(sleep_for(world.env, 100s, &seen));
    group.reset();
    world.run();
    EXPECT_EQ(seen.cancelled, 1);
    EXPECT_EQ(world.elapsed(), 0s);
}

asio::awaitable<bool> parent(std::shared_ptr<environment> env, asio::any_io_executor executor, notes* into) {
    task_group children(executor, env);
    for (int i = 0; i < 10; ++i) {
        children.spawn(sleep_for(env, 100s, into));
    }
    co_return co_await children.join();
}

// The event loop goes away under a parent that waits for its children: nothing is touched afterwards.
TEST(task_group, may_be_abandoned_with_its_context) {
    auto context = std::make_unique<asio::io_context>();
    const auto env = make_system_environment();
    notes seen;
    testing_support::begun<bool> waiting(*context, parent(env, context->get_executor(), &seen));
    context->poll();
    context.reset();
    EXPECT_EQ(seen.ended, 0);
}

}  // namespace
}  // namespace vembed::runtime
