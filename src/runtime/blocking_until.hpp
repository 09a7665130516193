#pragma once
/// Blocking work for which its caller waits only until a deadline.

#include <functional>
#include <memory>
#include <stop_token>

#include <boost/asio/awaitable.hpp>

#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// Runs `work` as environment::run_blocking() does and waits for its end (woken), for `deadline` (expired) or for a
/// cancellation (cancelled). In the last two cases `work` is asked to stop through its token and ends later, beside
/// whatever the caller does next: it has to own all that it uses. The calling coroutine must have set
/// throw_if_cancelled(false). An exception that `work` throws is rethrown if the caller still waits.
asio::awaitable<wait_outcome> blocking_until(std::shared_ptr<environment> env,
                                             std::function<void(const std::stop_token&)> work, monotonic_time deadline);

}  // namespace vembed::runtime
