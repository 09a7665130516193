#pragma once
/// Where requests go: one scheme, host, port and base path. The only place the API key is ever sent to.

#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::http {

class origin {
public:
    bool tls = true;
    std::string host;        ///< For resolving, SNI and the certificate check; an IPv6 address without brackets.
    std::string port;        ///< Decimal.
    std::string host_field;  ///< The Host header's value.
    std::string base_path;   ///< Put before every target; empty or "/…" without a slash at its end.

    origin() = default;

    /// Reads a base URL. Refused (invalid_argument): anything but http and https, user info, query or fragment, and
    /// plain http to a host that is not loopback (localhost, 127.0.0.0/8, ::1): the key would travel readable.
    static result<origin> parse(std::string_view url);

    /// The URL again, for messages and for telling two services apart.
    [[nodiscard]] std::string url() const;
};

}  // namespace vembed::http
