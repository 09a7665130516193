#pragma once
/// Lets virtual time pass.

#include <memory>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <vembed/core/result.hpp>
#include <vembed/runtime/environment.hpp>

namespace vembed::testing_support {

/// An operation for `world::run` that ends at `until`.
inline boost::asio::awaitable<result<void>> pass_time(std::shared_ptr<environment> env, monotonic_time until) {
    const wait_outcome waited = co_await sleep_until(std::move(env), until);
    static_cast<void>(waited);
    co_return result<void>();
}

}  // namespace vembed::testing_support
