#pragma once
/// Turns a host's name into a connected socket.

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <vembed/core/result.hpp>

#include "http/socket/connection_pool.hpp"

namespace vembed::http {

/// Resolves the pool's origin and tries its addresses one after the other, the one that worked last first; each but the
/// last has a share of the time. It ends if the pool is closed or if the coroutine is cancelled. `no_descriptor` is set
/// if it failed because the process or the machine has no file descriptor for a further connection.
asio::awaitable<result<asio::ip::tcp::socket>> connect(std::shared_ptr<connection_pool> from, monotonic_time give_up,
                                                       bool* no_descriptor);

}  // namespace vembed::http
