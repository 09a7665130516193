#pragma once
/// Coroutines in virtual time: start them, let time pass, look at their results.

#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <vembed/testing/simulation.hpp>

namespace vembed::testing_support {

namespace asio = boost::asio;

/// A running operation. cancel() cancels it; its destruction does not.
template <class T>
class begun {
public:
    begun(asio::io_context& context, asio::awaitable<T> operation)
        : signal_(std::make_shared<asio::cancellation_signal>()) {
        // The signal must live until the coroutine is destroyed, which is later than its value comes.
        auto on_end = [signal = signal_](const std::exception_ptr& thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        };
        asio::co_spawn(context, keep(std::move(operation), value_),
                       asio::bind_cancellation_slot(signal_->slot(), std::move(on_end)));
    }

    [[nodiscard]] bool ended() const noexcept { return value_->has_value(); }
    void cancel() { signal_->emit(asio::cancellation_type::terminal); }

    /// The operation's result. Throws if it has not ended.
    [[nodiscard]] T& value() {
        if (!ended()) {
            throw std::runtime_error("the operation under test has not ended");
        }
        return **value_;
    }

private:
    static asio::awaitable<void> keep(asio::awaitable<T> operation, std::shared_ptr<std::optional<T>> into) {
        co_await asio::this_coro::throw_if_cancelled(false);
        into->emplace(co_await std::move(operation));
    }

    std::shared_ptr<asio::cancellation_signal> signal_;
    std::shared_ptr<std::optional<T>> value_ = std::make_shared<std::optional<T>>();
};

/// A simulated world for one test.
class simulation {
public:
    asio::io_context context{1};
    std::shared_ptr<testing::simulated_environment> env = std::make_shared<testing::simulated_environment>(context, 1);
    const monotonic_time start = env->now();

    template <class T>
    begun<T> begin(asio::awaitable<T> operation) {
        return begun<T>(context, std::move(operation));
    }

    /// Does everything that is due up to and including `since_start`.
    void run_until(monotonic_clock::duration since_start) { (void)env->run({}, start + since_start); }

    /// Runs until nothing is left to do.
    void run() { (void)env->run(); }

    /// Runs one operation to its end.
    template <class T>
    T run(asio::awaitable<T> operation) {
        begun<T> under_way = begin(std::move(operation));
        (void)env->run([&] { return under_way.ended(); });
        return std::move(under_way.value());
    }

    [[nodiscard]] monotonic_clock::duration elapsed() const { return env->now() - start; }
};

}  // namespace vembed::testing_support
