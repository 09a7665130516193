#pragma once
/// The destination of requests: one scheme, host, port and base path. The API key is never sent anywhere else.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::http {

/// Whether http:// is taken, which everybody on the way can read.
enum class plain_http : std::uint8_t {
    this_machine,  ///< Only to a loopback address.
    anywhere,      ///< To any host; for requests without a key.
};

class origin {
public:
    bool tls = true;
    std::string host;        ///< For resolving, SNI and the certificate check; an IPv6 address without brackets.
    std::string port;        ///< Decimal.
    std::string host_field;  ///< The Host header's value.
    std::string base_path;   ///< Put before every target; empty or "/…" without a slash at its end.

    origin() = default;

    /// Reads a base URL. Returns invalid_argument if it has another scheme than http or https, user info, a query or a
    /// fragment, or if it is plain http to a host that is not loopback (localhost, 127.0.0.0/8, ::1): the key would be
    /// sent unencrypted.
    static result<origin> parse(std::string_view url, plain_http allowed = plain_http::this_machine);

    /// The URL, for messages and for telling two services apart.
    [[nodiscard]] std::string url() const;

    /// Whether a request to the one goes to the other: same scheme, host (without case) and port.
    [[nodiscard]] bool same_place(const origin& other) const noexcept;
};

/// Where one URL leads: an origin without base path, and the target, byte for byte as it stands in the URL.
class located_url {
public:
    origin at;
    std::string target;  ///< Path and query; begins with '/'.

    located_url() = default;
};

/// Splits a URL that somebody else made and perhaps signed. Nothing in its path or query is decoded, encoded or
/// normalised; a fragment is left out. Returns invalid_argument if the scheme is not http or https, if it names a user,
/// if it holds a byte that is not visible ASCII, or if it is longer than 16 KiB. No error quotes the path or the query,
/// because whoever has a presigned URL has what it leads to.
result<located_url> split_url(std::string_view url, plain_http allowed);

}  // namespace vembed::http
