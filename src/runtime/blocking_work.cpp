#include "runtime/blocking_work.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace vembed::runtime {

asio::awaitable<bool> is_cancelled() {
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    co_return asked.cancelled() != asio::cancellation_type::none;
}

}  // namespace vembed::runtime
