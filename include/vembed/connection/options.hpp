#pragma once
/// @file
/// How a client reaches its service. Each service's client_options begin with these.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <vembed/core/secret.hpp>
#include <vembed/runtime/environment.hpp>
#include <vembed/transport/transport.hpp>

namespace vembed {

/// Makes the transport to an origin, which is given as "https://host" or "https://host:port". Null: it is not known.
using transport_factory = std::function<std::shared_ptr<transport>(const std::string& origin)>;

class connection_options {
public:
    /// The service's address. Empty: the service's variable, else its public address. Plain http is accepted to this
    /// machine only.
    std::string base_url;
    /// The key, see secret::from_key and from_file. Null: the service's variable. It is sent to base_url's origin and
    /// nowhere else.
    std::shared_ptr<const secret> api_key;
    /// Certificate authorities (PEM) to trust instead of the system's. Empty: the service's variable, else the
    /// system's. The server's certificate and host name are always checked.
    std::string ca_file;
    std::uint32_t connections_max = 1024;      ///< Exchanges beyond that wait.
    std::chrono::seconds connect_timeout{15};  ///< Resolve, connect and TLS handshake together.
    std::chrono::seconds try_timeout{60};      ///< One try of one request.
    std::uint32_t tries_max = 6;               ///< Tries of a request that may be repeated, faults only.
    std::string user_agent;                    ///< Empty: "vembed/<version>".
    /// Called with each log record of log_at_least or more, on the client's executor. A record never has the key or
    /// input text.
    log_hook log;
    log_level log_at_least = log_level::info;
    /// Clocks, randomness and blocking work. Null: the machine's. An environment given here brings its own log hook.
    std::shared_ptr<environment> env;
    /// Makes what carries requests instead of sockets, for tests. Empty: sockets.
    transport_factory transports;

    connection_options() = default;
};

}  // namespace vembed
