#pragma once
/// Where one coroutine waits until it is called: the bottom of every wait that is not a socket's.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <vembed/core/time.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// One waiter at a time, all calls on the executor given. A timer is the one Asio object that waits for nothing in
/// particular, costs nothing while it does, and honours per-operation cancellation.
class parking_spot {
public:
    explicit parking_spot(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Suspends until unpark(), until `deadline` on the machine's monotonic clock, or until cancelled. An unpark()
    /// that came before ends the next park() at once. A coroutine that was cancelled before does not suspend.
    asio::awaitable<wait_outcome> park(monotonic_time deadline);

    void unpark() noexcept;

private:
    asio::steady_timer timer_;
    bool called_ = false;
};

}  // namespace vembed::runtime
