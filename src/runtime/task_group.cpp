#include "runtime/task_group.hpp"

#include <exception>
#include <list>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace vembed::runtime {

class task_group::state {
public:
    state(asio::any_io_executor on, std::shared_ptr<environment> with)
        : executor(std::move(on)), env(std::move(with)), ended(env->make_timer(executor)) {}

    void cancel() {
        cancelled = true;
        for (asio::cancellation_signal& signal : signals) {
            signal.emit(asio::cancellation_type::terminal);
        }
    }

    asio::any_io_executor executor;
    std::shared_ptr<environment> env;
    std::unique_ptr<timer> ended;
    std::list<asio::cancellation_signal> signals;
    std::exception_ptr error;
    bool cancelled = false;
};

namespace {

asio::awaitable<void> run_child(asio::awaitable<void> child) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await std::move(child);
}

}  // namespace

task_group::task_group(asio::any_io_executor executor, std::shared_ptr<environment> env)
    : state_(std::make_shared<state>(std::move(executor), std::move(env))) {}

task_group::~task_group() {
    state_->cancel();
}

void task_group::spawn(asio::awaitable<void> child) {
    const std::shared_ptr<state> shared = state_;
    if (shared->cancelled) {
        return;
    }
    const auto signal = shared->signals.emplace(shared->signals.end());
    auto on_end = [shared, signal](const std::exception_ptr& error) {
        shared->signals.erase(signal);
        if (error && !shared->error) {
            shared->error = error;
            shared->cancel();
        }
        if (shared->signals.empty()) {
            shared->ended->wake();
        }
    };
    asio::co_spawn(shared->executor, run_child(std::move(child)),
                   asio::bind_cancellation_slot(signal->slot(), std::move(on_end)));
}

asio::awaitable<bool> task_group::join() {
    const std::shared_ptr<state> shared = state_;
    bool undisturbed = true;
    while (!shared->signals.empty()) {
        const wait_outcome outcome = co_await shared->ended->wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            undisturbed = false;
            shared->cancel();
            // The children still have to end; from here on, a cancellation must not end this wait.
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        }
    }
    if (shared->error) {
        std::rethrow_exception(std::exchange(shared->error, nullptr));
    }
    co_return undisturbed;
}

void task_group::cancel() {
    state_->cancel();
}

std::size_t task_group::running() const noexcept {
    return state_->signals.size();
}

}  // namespace vembed::runtime
