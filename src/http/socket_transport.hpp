#pragma once
/// The transport over sockets: a pool of kept-alive connections to one origin, plain or TLS.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

#include "http/origin.hpp"

namespace vembed::http {

class socket_transport_options {
public:
    std::string ca_file;  ///< PEM; empty: the system's certificate authorities.
    std::string user_agent = "vembed";
    std::uint32_t connections_max = 1024;      ///< Exchanges beyond that wait for a connection.
    std::chrono::seconds connect_timeout{15};  ///< Resolving, connecting and the TLS handshake together.
    /// Connecting to one address of several, the last excepted, which has all the time that is left.
    std::chrono::milliseconds address_timeout{3000};
    std::vector<asio::ip::tcp::endpoint> addresses;  ///< Instead of those that the origin's host resolves to.
    std::chrono::seconds idle_max{45};               ///< An idle connection older than that is not used again.

    socket_transport_options() = default;
};

/// Fails with invalid_argument where the certificate authorities cannot be loaded. The transport must be destroyed
/// before the executor's context; exchanges under way then may be left to go with the context.
result<std::shared_ptr<transport>> make_socket_transport(asio::any_io_executor executor,
                                                         std::shared_ptr<environment> env, origin to,
                                                         socket_transport_options options);

}  // namespace vembed::http
