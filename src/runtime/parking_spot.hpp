#pragma once
/// A place at which one coroutine waits until it is called: every wait that is not a socket's ends here.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <vembed/core/time.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// One waiter at a time, all calls on the executor given. It uses a timer because that is the one Asio object that can
/// wait for nothing in particular at no cost and honours per-operation cancellation.
class parking_spot {
public:
    explicit parking_spot(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Suspends until unpark(), until `deadline` on the machine's monotonic clock, or until cancelled. If unpark() was
    /// called before, the next park() returns at once. A coroutine that was already cancelled does not suspend.
    asio::awaitable<wait_outcome> park(monotonic_time deadline);

    void unpark() noexcept;

private:
    asio::steady_timer timer_;
    bool called_ = false;
};

}  // namespace vembed::runtime
