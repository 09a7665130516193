#pragma once
/// Calls a function at a time: the timer of what is not a coroutine.

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <vembed/core/time.hpp>

namespace vembed::runtime {

namespace asio = boost::asio;

/// One time at once, on the machine's monotonic clock; all calls on the executor given, and `ring` is called there. A
/// set alarm is work for its executor's context, so that run() waits for it.
class alarm {
public:
    alarm(const asio::any_io_executor& executor, std::function<void()> ring);
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;
    /// Never rings again.
    ~alarm();

    /// Rings at `at`, instead of at the time set before. May be called by `ring` itself.
    void set(monotonic_time at);
    void clear() noexcept;
    /// When it will ring; no_deadline where it is not set.
    [[nodiscard]] monotonic_time at() const noexcept;

private:
    class state;
    std::shared_ptr<state> state_;
};

}  // namespace vembed::runtime
