#include <vembed/runtime/environment.hpp>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "support/loopback.hpp"
#include "support/virtual_time.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;
using testing_support::begun;
using testing_support::running;

// The same contract on the machine's clocks and on simulated ones.
class timer_test : public ::testing::TestWithParam<bool> {
protected:
    timer_test() {
        if (GetParam()) {
            simulated = std::make_shared<testing::simulated_environment>(context, 1);
            env = simulated;
        } else {
            env = make_system_environment();
        }
        subject = env->make_timer(context.get_executor());
    }

    // Runs until the wait has ended.
    template <class T>
    T finish(begun<T>& wait) {
        if (simulated) {
            (void)simulated->run([&] { return wait.ended(); });
        }
        context.restart();
        while (!wait.ended() && context.run_one_for(20s) > 0) {
        }
        return std::move(wait.value());
    }

    // Does what is ready, without letting time pass.
    void settle() {
        context.restart();
        context.poll();
    }

    begun<wait_outcome> wait(monotonic_time deadline) { return {context, subject->wait_until(deadline)}; }

    asio::io_context context{1};
    std::shared_ptr<testing::simulated_environment> simulated;
    std::shared_ptr<environment> env;
    std::unique_ptr<timer> subject;
};

TEST_P(timer_test, expires_at_its_deadline_and_not_before) {
    const monotonic_time deadline = env->now() + 5ms;
    auto waiting = wait(deadline);
    settle();
    EXPECT_FALSE(waiting.ended());
    EXPECT_EQ(finish(waiting), wait_outcome::expired);
    EXPECT_GE(env->now(), deadline);
}

TEST_P(timer_test, a_deadline_in_the_past_expires_at_once) {
    auto waiting = wait(env->now() - 1h);
    EXPECT_EQ(finish(waiting), wait_outcome::expired);
}

TEST_P(timer_test, wakes_a_waiter) {
    auto waiting = wait(no_deadline);
    settle();
    EXPECT_FALSE(waiting.ended());
    subject->wake();
    settle();
    EXPECT_EQ(waiting.value(), wait_outcome::woken);
}

TEST_P(timer_test, a_wake_that_came_before_is_kept_and_used_once) {
    subject->wake();
    subject->wake();
    auto first = wait(no_deadline);
    settle();
    EXPECT_EQ(first.value(), wait_outcome::woken);
    auto second = wait(env->now() + 1ms);
    EXPECT_EQ(finish(second), wait_outcome::expired);
}

TEST_P(timer_test, cancellation_ends_the_wait_and_later_waits_work) {
    auto waiting = wait(no_deadline);
    settle();
    waiting.cancel();
    settle();
    EXPECT_EQ(waiting.value(), wait_outcome::cancelled);
    subject->wake();
    auto next = wait(no_deadline);
    settle();
    EXPECT_EQ(next.value(), wait_outcome::woken);
}

asio::awaitable<int> waits_after_cancellation(timer* on) {
    int cancelled = 0;
    for (int i = 0; i < 3; ++i) {
        const wait_outcome outcome = co_await on->wait_until(no_deadline);
        cancelled += outcome == wait_outcome::cancelled ? 1 : 0;
    }
    co_return cancelled;
}

TEST_P(timer_test, a_coroutine_that_was_cancelled_does_not_suspend_again) {
    begun<int> waiting(context, waits_after_cancellation(subject.get()));
    settle();
    waiting.cancel();
    settle();
    EXPECT_EQ(waiting.value(), 3);
}

TEST_P(timer_test, wake_wins_over_a_deadline_that_passed_meanwhile) {
    auto waiting = wait(env->now() + 1ms);
    settle();
    subject->wake();
    EXPECT_EQ(finish(waiting), wait_outcome::woken);
}

TEST_P(timer_test, may_go_with_its_context_while_somebody_waits) {
    asio::io_context other;
    auto orphan = env->make_timer(other.get_executor());
    begun<wait_outcome> waiting(other, orphan->wait_until(no_deadline));
    other.poll();
    EXPECT_FALSE(waiting.ended());
}

TEST_P(timer_test, sleep_until) {
    const monotonic_time deadline = env->now() + 3ms;
    begun<wait_outcome> sleeping(context, sleep_until(env, deadline));
    EXPECT_EQ(finish(sleeping), wait_outcome::expired);
    EXPECT_GE(env->now(), deadline);
    begun<wait_outcome> disturbed(context, sleep_until(env, no_deadline));
    settle();
    disturbed.cancel();
    settle();
    EXPECT_EQ(disturbed.value(), wait_outcome::cancelled);
}

INSTANTIATE_TEST_SUITE_P(clocks, timer_test, ::testing::Bool(),
                         [](const auto& from) { return from.param ? "simulated" : "system"; });

TEST(system_environment, time_goes_on) {
    const auto env = make_system_environment();
    const monotonic_time before = env->now();
    while (env->now() == before) {
    }
    EXPECT_GT(env->now(), before);
    EXPECT_GT(env->wall_now().time_since_epoch(), std::chrono::years(50));
}

TEST(system_environment, random_bits_differ) {
    const auto env = make_system_environment();
    std::set<std::uint64_t> drawn;
    for (int i = 0; i < 1000; ++i) {
        drawn.insert(env->random());
    }
    EXPECT_EQ(drawn.size(), 1000u);
    EXPECT_NE(make_system_environment()->random(), make_system_environment()->random());
}

class noted_threads {
public:
    std::vector<std::thread::id> worked;
    std::vector<std::thread::id> resumed;
    std::vector<int> order;
    std::exception_ptr thrown;
};

asio::awaitable<bool> work_and_note(std::shared_ptr<environment> env, noted_threads* notes, int number) {
    auto work = [notes, number] {
        notes->worked.push_back(std::this_thread::get_id());
        notes->order.push_back(number);
    };
    std::function<void()> erased = work;
    co_await env->run_blocking(std::move(erased));
    notes->resumed.push_back(std::this_thread::get_id());
    co_return true;
}

TEST(system_environment, blocking_work_runs_elsewhere_in_order_and_comes_back) {
    asio::io_context context;
    const auto env = make_system_environment();
    noted_threads notes;
    std::vector<std::unique_ptr<running<bool>>> all;
    for (int i = 0; i < 50; ++i) {
        all.push_back(std::make_unique<running<bool>>(context, work_and_note(env, &notes, i)));
    }
    for (auto& one : all) {
        EXPECT_TRUE(one->wait());
    }
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(notes.order.at(static_cast<std::size_t>(i)), i);
        EXPECT_NE(notes.worked.at(static_cast<std::size_t>(i)), std::this_thread::get_id());
        EXPECT_EQ(notes.resumed.at(static_cast<std::size_t>(i)), std::this_thread::get_id());
    }
}

asio::awaitable<bool> work_until(std::shared_ptr<environment> env, std::future<void> released, bool* in_time) {
    std::function<void()> work = [&released, in_time] {
        *in_time = released.wait_for(20s) == std::future_status::ready;
    };
    co_await env->run_blocking(std::move(work));
    co_return true;
}

asio::awaitable<bool> read_and_release(std::shared_ptr<environment> env, std::promise<void>* release) {
    std::function<void()> reading = [release] { release->set_value(); };
    co_await env->read_blocking(std::move(reading));
    co_return true;
}

TEST(system_environment, work_and_the_reading_of_sources_do_not_wait_for_each_other) {
    asio::io_context context;
    const auto env = make_system_environment();
    std::promise<void> release;
    bool in_time = false;
    running<bool> working(context, work_until(env, release.get_future(), &in_time));
    context.poll();
    running<bool> reading(context, read_and_release(env, &release));
    EXPECT_TRUE(reading.wait());
    EXPECT_TRUE(working.wait());
    EXPECT_TRUE(in_time);
}

asio::awaitable<bool> log_at_work(std::shared_ptr<environment> env) {
    std::function<void()> work = [env] { env->log(log_level::warning, "at_work", {log_field("n", std::uint64_t{3})}); };
    co_await env->run_blocking(std::move(work));
    co_return true;
}

TEST(system_environment, the_log_hook_is_called_on_the_executor_of_those_who_wait_for_the_work) {
    asio::io_context context;
    std::vector<std::string> seen;
    const std::thread::id here = std::this_thread::get_id();
    const auto env = make_system_environment([&seen, here](const log_record& record) {
        EXPECT_EQ(std::this_thread::get_id(), here);
        seen.push_back(std::string(record.event) + " " + record.fields.front().value);
    });
    EXPECT_TRUE(testing_support::run(context, log_at_work(env)));
    EXPECT_EQ(seen, std::vector<std::string>{"at_work 3"});
}

asio::awaitable<std::string> work_that_throws(std::shared_ptr<environment> env) {
    std::function<void()> work = [] { throw std::runtime_error("disk on fire"); };
    try {
        co_await env->run_blocking(std::move(work));
    } catch (const std::runtime_error& e) {
        co_return e.what();
    }
    co_return "nothing";
}

TEST(system_environment, what_blocking_work_throws_arrives_at_its_caller) {
    asio::io_context context;
    const auto env = make_system_environment();
    EXPECT_EQ(testing_support::run(context, work_that_throws(env)), "disk on fire");
    EXPECT_EQ(testing_support::run(context, work_that_throws(env)), "disk on fire") << "the worker lives on";
    testing_support::simulation world;
    EXPECT_EQ(world.run(work_that_throws(world.env)), "disk on fire");
}

asio::awaitable<bool> work_once(std::shared_ptr<environment> env, std::atomic<bool>* done) {
    std::function<void()> work = [done] { *done = true; };
    co_await env->run_blocking(std::move(work));
    co_return true;
}

TEST(system_environment, work_once_begun_is_finished_even_if_its_caller_is_cancelled) {
    asio::io_context context;
    const auto env = make_system_environment();
    std::atomic<bool> done = false;
    running<bool> working(context, work_once(env, &done));
    context.poll();
    working.cancel();
    EXPECT_TRUE(working.wait());
    EXPECT_TRUE(done);
}

TEST(system_environment, logs_what_is_important_enough_and_survives_its_hook) {
    std::vector<std::string> seen;
    const auto env = make_system_environment(
        [&seen](const log_record& record) {
            seen.push_back(std::string(record.event) + " " + std::string(to_string(record.level)));
            for (const log_field& field : record.fields) {
                seen.back() += " " + std::string(field.name) + "=" + field.value;
            }
            throw std::runtime_error("the logger is broken");
        },
        log_level::info);
    env->log(log_level::debug, "dropped", {});
    env->log(log_level::info, "kept", {log_field("n", std::uint64_t{7}), log_field("s", "x")});
    env->log(log_level::error, "worse", {});
    EXPECT_EQ(seen, (std::vector<std::string>{"kept info n=7 s=x", "worse error"}));
    make_system_environment()->log(log_level::error, "nobody listens", {});
}

TEST(simulated_environment, sleepers_wake_in_the_order_of_their_times) {
    testing_support::simulation world;
    std::vector<begun<wait_outcome>> sleepers;
    for (const auto delay : {5h, 1h, 3h, 1h}) {
        sleepers.push_back(world.begin(sleep_until(world.env, world.start + delay)));
    }
    world.run_until(1h);
    EXPECT_TRUE(sleepers[1].ended() && sleepers[3].ended());
    EXPECT_FALSE(sleepers[0].ended() || sleepers[2].ended());
    world.run();
    EXPECT_TRUE(sleepers[0].ended());
    EXPECT_EQ(world.elapsed(), 5h);
}

TEST(simulated_environment, wall_time_goes_with_it_and_chance_repeats) {
    asio::io_context context;
    testing::simulated_environment a(context, 7);
    testing::simulated_environment b(context, 7);
    testing::simulated_environment c(context, 8);
    EXPECT_EQ(a.random(), b.random());
    EXPECT_NE(a.random(), c.random());
    testing_support::simulation world;
    const wall_time before = world.env->wall_now();
    begun<wait_outcome> sleeper = world.begin(sleep_until(world.env, world.start + 90min));
    world.run();
    EXPECT_EQ(world.env->wall_now() - before, 90min);
}

TEST(log_level, names) {
    EXPECT_EQ(to_string(log_level::debug), "debug");
    EXPECT_EQ(to_string(log_level::warning), "warning");
}

}  // namespace
}  // namespace vembed
