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
    std::string ca_file;  ///< PEM; if empty, the system's certificate authorities.
    std::string user_agent = "vembed";
    std::uint32_t connections_max = 1024;      ///< Further exchanges wait for a connection.
    std::chrono::seconds connect_timeout{15};  ///< Covers resolving, connecting and the TLS handshake.
    /// Limit of connecting to one address if there are several; the last address has all the time that is left.
    std::chrono::milliseconds address_timeout{3000};
    std::vector<asio::ip::tcp::endpoint> addresses;  ///< If not empty, replaces resolving the origin's host.
    std::chrono::seconds idle_max{45};               ///< A connection that was idle longer is not reused.

    socket_transport_options() = default;
};

/// Returns invalid_argument if the certificate authorities cannot be loaded. The transport must be destroyed before the
/// executor's context; exchanges that are still running may be destroyed with the context.
result<std::shared_ptr<transport>> make_socket_transport(asio::any_io_executor executor,
                                                         std::shared_ptr<environment> env, origin to,
                                                         socket_transport_options options);

}  // namespace vembed::http
