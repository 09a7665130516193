#pragma once
/// Blocking work that its caller does not wait for longer than it has time.

#include <functional>
#include <memory>
#include <stop_token>

#include <boost/asio/awaitable.hpp>

#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// Runs `work` as environment::run_blocking() does and waits for its end (woken), for `deadline` (expired) or for a
/// cancellation (cancelled). In the last two cases `work` is asked to stop through its token and ends later, beside
/// whatever the caller does next: it has to own all that it uses. Without throw_if_cancelled. What `work` throws is
/// rethrown if it is waited for.
asio::awaitable<wait_outcome> blocking_until(std::shared_ptr<environment> env,
                                             std::function<void(const std::stop_token&)> work, monotonic_time deadline);

}  // namespace vembed::runtime
