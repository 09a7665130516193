#include "runtime/blocking_until.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

namespace vembed::runtime {
namespace {

// State that work and its waiter share, on the waiter's executor.
class work_beside {
public:
    explicit work_beside(std::unique_ptr<timer> to_wake) : end(std::move(to_wake)) {}

    std::unique_ptr<timer> end;
    std::stop_source stop;
    std::exception_ptr error;
    bool done = false;
};

asio::awaitable<void> run_beside(std::shared_ptr<environment> env, std::shared_ptr<work_beside> beside,
                                 std::function<void()> work) {
    try {
        co_await env->run_blocking(std::move(work));
    } catch (...) {
        beside->error = std::current_exception();
    }
    beside->done = true;
    beside->end->wake();
}

}  // namespace

asio::awaitable<wait_outcome> blocking_until(std::shared_ptr<environment> env,
                                             std::function<void(const std::stop_token&)> work,
                                             monotonic_time deadline) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto beside = std::make_shared<work_beside>(env->make_timer(executor));
    std::function<void()> begun = [work = std::move(work), stop = beside->stop.get_token()] { work(stop); };
    asio::co_spawn(executor, run_beside(env, beside, std::move(begun)), asio::detached);
    while (!beside->done) {
        const wait_outcome outcome = co_await beside->end->wait_until(deadline);
        if (!beside->done && outcome != wait_outcome::woken) {
            beside->stop.request_stop();
            co_return outcome;
        }
    }
    if (beside->error) {
        std::rethrow_exception(beside->error);
    }
    co_return wait_outcome::woken;
}

}  // namespace vembed::runtime
