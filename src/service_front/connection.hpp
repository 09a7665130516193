#pragma once
/// One connection: reads requests, asks the service, writes replies, in order.

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/testing/service.hpp>

#include "service_front/front.hpp"

namespace vembed::service_front {

using tcp = asio::ip::tcp;

/// What the connections of a front share. Lives as long as any of them.
class shared_state {
public:
    std::shared_ptr<environment> env;
    std::shared_ptr<testing::service> service;
    std::shared_ptr<asio::ssl::context> tls;  ///< Null for plain HTTP.
    front_options options;
    bool stopping = false;
    std::uint64_t body_bytes = 0;  ///< Of requests being read or answered.
    std::list<class connection*> connections;
    std::unique_ptr<timer> room;  ///< Woken when a connection ends, for an acceptor that waits for room.
    std::unique_ptr<timer>
        sweep;  ///< Between two looks at the deadlines; woken where there is nothing left to look at.

    shared_state() = default;
};

/// The side of a connection that its front sees.
class connection {
public:
    connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    virtual ~connection() = default;

    /// Closes it where `now` is past the deadline of what it is doing.
    void enforce_deadline(monotonic_time now) {
        if (now >= deadline_) {
            abort();
        }
    }

    /// The front is stopping: closes it unless a reply is being written.
    virtual void retire() = 0;

    /// Closes the socket, so that whatever is pending ends.
    virtual void abort() = 0;

protected:
    monotonic_time deadline_ = no_deadline;
};

/// Serves the connection until it ends, and removes it from the state's list. Throws nothing but std::bad_alloc, which
/// ends this connection only.
asio::awaitable<void> serve_connection(std::shared_ptr<shared_state> state, tcp::socket socket);

}  // namespace vembed::service_front
