#pragma once
/// Calls a function at a given time: the timer for code that is not a coroutine.

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <vembed/core/time.hpp>

namespace vembed::runtime {

namespace asio = boost::asio;

/// Holds one time, on the machine's monotonic clock. All calls are made on the executor given, and `ring` is called
/// there. While an alarm is set, run() of its executor's context does not return.
class alarm {
public:
    alarm(const asio::any_io_executor& executor, std::function<void()> ring);
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;
    /// The alarm does not ring after its destruction.
    ~alarm();

    /// Rings at `at`, instead of at the time set before. `ring` itself may call it.
    void set(monotonic_time at);
    void clear() noexcept;
    /// When it will ring; no_deadline if it is not set.
    [[nodiscard]] monotonic_time at() const noexcept;

private:
    class state;
    std::shared_ptr<state> state_;
};

}  // namespace vembed::runtime
