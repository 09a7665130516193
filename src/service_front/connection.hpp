#pragma once
/// One connection: reads requests, asks the service, writes responses, in order.

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/testing/local_service.hpp>

#include "service_front/front.hpp"

namespace vembed::service_front {

using tcp = asio::ip::tcp;

/// State that the connections of a front share. It lives as long as any of them.
class shared_state {
public:
    std::shared_ptr<environment> env;
    std::shared_ptr<testing::local_service> service;
    std::shared_ptr<asio::ssl::context> tls;  ///< Null for plain HTTP.
    front_options options;
    bool stopping = false;
    std::uint64_t body_bytes = 0;  ///< Bytes of requests being read or answered.
    std::list<class connection*> connections;
    std::unique_ptr<timer> room;   ///< Woken when a connection ends, for an acceptor that waits for a free slot.
    std::unique_ptr<timer> sweep;  ///< Between two looks at the deadlines; woken if there is nothing left to look at.

    shared_state() = default;
};

/// The part of a connection that its front sees.
class connection {
public:
    connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    virtual ~connection() = default;

    /// Closes the connection if `now` is past the deadline of its present step.
    void enforce_deadline(monotonic_time now) {
        if (now >= deadline_) {
            abort();
        }
    }

    /// The front is stopping: closes the connection unless a response is being written.
    virtual void retire() = 0;

    /// Closes the socket, so that all pending operations end.
    virtual void abort() = 0;

protected:
    monotonic_time deadline_ = no_deadline;
};

/// Serves the connection until it ends, and removes it from the state's list. Throws nothing but std::bad_alloc, which
/// ends this connection only.
asio::awaitable<void> serve_connection(std::shared_ptr<shared_state> state, tcp::socket socket);

}  // namespace vembed::service_front
