#pragma once
/// One request and its reply over a connection that is there (HTTP/1.1, RFC 9112). What the pointers lead to must live
/// until the function has ended. Failures: timeout where the connection's deadline passed, cancelled, network where the
/// connection was lost, protocol where the reply is not HTTP/1.1, and what the sink says.

#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include <vembed/transport/transport.hpp>

#include "http/connection_pool.hpp"

namespace vembed::http {

/// Writes the request. Ends early, without a failure, where the peer has refused it meanwhile: the outcome then has the
/// reply's head. The outcome says how much was written, which decides whether the request may be sent again.
asio::awaitable<std::optional<failure>> send(std::shared_ptr<connection_pool> from, connection* on,
                                             std::shared_ptr<const transport_request> request,
                                             exchange_outcome* outcome);

/// Reads the reply, or what is left of it, into the sink. `on->reader` says afterwards whether the connection can be
/// kept.
asio::awaitable<std::optional<failure>> receive(connection* on, response_sink* sink, exchange_outcome* outcome);

}  // namespace vembed::http
