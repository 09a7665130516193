#pragma once
/// One request and its response over an existing connection (HTTP/1.1, RFC 9112). All pointers must stay valid until
/// the function has ended. Errors: timeout if the connection's deadline passed, cancelled, network if the connection
/// was lost, protocol if the response is not HTTP/1.1, and the sink's errors.

#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include <vembed/transport/transport.hpp>

#include "http/socket/connection_pool.hpp"

namespace vembed::http {

/// Writes the request. It ends early, without an error, if the peer has refused the request meanwhile: the outcome then
/// has the response's head. The outcome says how much was written, which decides whether the request may be sent again.
asio::awaitable<std::optional<error>> send(std::shared_ptr<connection_pool> from, connection* on,
                                           std::shared_ptr<const transport_request> request, exchange_outcome* outcome);

/// Reads the response, or the rest of it, into the sink. Afterwards `on->reader` says whether the connection can be
/// kept.
asio::awaitable<std::optional<error>> receive(connection* on, response_sink* sink, exchange_outcome* outcome);

}  // namespace vembed::http
