#include "runtime/blocking_until.hpp"

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace vembed {
namespace {

using namespace std::chrono_literals;

// Work that lasts until it is asked to stop.
class lasting_work {
public:
    void operator()(const std::stop_token& stop) const {
        std::mutex mutex;
        std::condition_variable_any asked;
        std::unique_lock lock(mutex);
        asked.wait(lock, stop, [] { return false; });
        stopped->set_value();
    }
    std::shared_ptr<std::promise<void>> stopped = std::make_shared<std::promise<void>>();
};

TEST(blocking_until, asks_the_work_to_stop_at_the_deadline) {
    const std::shared_ptr<environment> env = make_system_environment();
    asio::io_context context(1);
    const lasting_work work;
    auto outcome =
        asio::co_spawn(context, runtime::blocking_until(env, work, deadline_after(env->now(), 20ms)), asio::use_future);
    context.run();
    EXPECT_EQ(outcome.get(), wait_outcome::expired);
    EXPECT_EQ(work.stopped->get_future().wait_for(20s), std::future_status::ready);
}

TEST(blocking_until, waits_for_work_that_ends_in_time_and_rethrows_what_it_throws) {
    const std::shared_ptr<environment> env = make_system_environment();
    asio::io_context context(1);
    bool done = false;
    std::function<void(const std::stop_token&)> quick = [&done](const std::stop_token&) { done = true; };
    auto woken = asio::co_spawn(context, runtime::blocking_until(env, quick, no_deadline), asio::use_future);
    context.run();
    EXPECT_EQ(woken.get(), wait_outcome::woken);
    EXPECT_TRUE(done);
    std::function<void(const std::stop_token&)> faulty = [](const std::stop_token&) {
        throw std::runtime_error("no disk");
    };
    context.restart();
    auto thrown = asio::co_spawn(context, runtime::blocking_until(env, faulty, no_deadline), asio::use_future);
    context.run();
    EXPECT_THROW(thrown.get(), std::runtime_error);
}

// The last owner of an environment is never one of its own threads, which would have to wait for itself.
asio::awaitable<bool> gives_up_what_it_holds(std::shared_ptr<environment> env, std::shared_ptr<int> held) {
    const std::weak_ptr<int> watched = held;
    std::function<void()> work = [held = std::move(held)] { ++*held; };
    co_await env->run_blocking(std::move(work));
    co_return watched.expired();
}

TEST(run_blocking, gives_up_what_the_work_holds_before_its_waiter_goes_on) {
    const std::shared_ptr<environment> env = make_system_environment();
    for (int i = 0; i < 200; ++i) {
        asio::io_context context(1);
        auto gone = asio::co_spawn(context, gives_up_what_it_holds(env, std::make_shared<int>(0)), asio::use_future);
        context.run();
        ASSERT_TRUE(gone.get()) << i;
    }
}

}  // namespace
}  // namespace vembed
