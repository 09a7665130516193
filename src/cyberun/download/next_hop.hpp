#pragma once
/// Where files are fetched from and sent to: presigned URLs, byte for byte, and the redirects from them (wire contract,
/// section 2, "Presigned URLs"). No message quotes more of a URL than its host: whoever has the URL has the file.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/message.hpp>
#include <vembed/core/result.hpp>

namespace vembed::cyberun {

/// A URL in parts. Nothing is decoded, encoded or normalised.
class download_url {
public:
    std::string url;  ///< Without its fragment.
    bool tls = true;
    std::string host;        ///< In lower case; an IPv6 address without brackets.
    std::string port;        ///< Decimal, the scheme's own if the URL names none.
    std::string host_field;  ///< The value of the Host header.
    std::string target;      ///< Path and query as they stand in the URL; "/" if there is no path.

    download_url() = default;

    [[nodiscard]] bool same_origin(const download_url& other) const noexcept {
        return tls == other.tls && host == other.host && port == other.port;
    }
};

class hop_rules {
public:
    bool plain_http = false;  ///< The service itself is reached by http, so that its store may be too.
    /// The hosts that may be asked, in lower case, without port; empty: any.
    std::vector<std::string> hosts;

    hop_rules() = default;
};

/// Reads an absolute URL. protocol if it is no URL of at most 16 KiB of visible ASCII characters, has a user name, has
/// another scheme than https (or http where it may be), or a host that is not allowed.
result<download_url> read_download_url(std::string_view url, const hop_rules& rules);

/// The URL that a redirect of `from` leads to. `redirects` is how many were followed before it; 5 may be. `location` is
/// the header's value, absolute or relative (RFC 3986, section 5.2; only the dot segments of a relative path are
/// resolved). protocol as read_download_url(), and for a method that is not GET, a sixth redirect, or one from https to
/// http.
result<download_url> next_hop(http_method method, const download_url& from, std::string_view location,
                              std::uint32_t redirects, const hop_rules& rules);

/// Whether a header tells who we are and must not go to another origin: Authorization, X-Api-Key, X-Team-ID, Cookie and
/// Proxy-Authorization.
bool is_credential(std::string_view header_name) noexcept;

/// The headers of a request that is repeated at another origin.
std::vector<header_field> without_credentials(std::vector<header_field> headers);

}  // namespace vembed::cyberun
