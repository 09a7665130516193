#include "runtime/parking_spot.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/awaited_result.hpp"
#include "runtime/steady_time.hpp"

namespace vembed::runtime {

asio::awaitable<wait_outcome> parking_spot::park(monotonic_time deadline) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        co_return wait_outcome::cancelled;
    }
    if (called_) {
        called_ = false;
        co_return wait_outcome::woken;
    }
    timer_.expires_at(to_steady(deadline));
    const auto [error] = co_await timer_.async_wait(as_result);
    if (called_) {
        called_ = false;
        co_return wait_outcome::woken;
    }
    co_return error ? wait_outcome::cancelled : wait_outcome::expired;
}

void parking_spot::unpark() noexcept {
    called_ = true;
    try {
        timer_.cancel();
    } catch (const boost::system::system_error&) {
        // If the reactor refused, the waiter still sees called_ when its deadline passes.
        return;
    }
}

}  // namespace vembed::runtime
