#include "http/origin.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <boost/asio/ip/address.hpp>
#include <boost/url/grammar/ci_string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace vembed::http {
namespace {

// Presigned URLs are a few hundred bytes long; servers refuse lines that are much longer than this.
constexpr std::size_t url_max = 16 * 1024;

bool is_loopback(const std::string& host) {
    if (boost::urls::grammar::ci_is_equal(host, "localhost")) {
        return true;
    }
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    return !error && address.is_loopback();
}

error refused(std::string_view url, std::string_view why) {
    return {errc::invalid_argument, "the base URL \"" + std::string(url.substr(0, 200)) + "\" " + std::string(why)};
}

// url_view::port_number() is not used: in 1.81 it wraps around, and the key would go to another port.
std::optional<std::string> port_of(const boost::urls::url_view& url, bool tls) {
    if (!url.has_port()) {
        return tls ? "443" : "80";
    }
    const std::string text(url.port());
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) {
        return std::nullopt;
    }
    return std::to_string(number);
}

}  // namespace

result<origin> origin::parse(std::string_view url, plain_http allowed) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed) {
        return refused(url, "is not a URL such as https://api.example.com");
    }
    const boost::urls::url_view& view = *parsed;
    if (view.has_userinfo()) {
        // The text is not quoted, because it may be a password.
        return error(errc::invalid_argument, "the base URL must not hold a user name or password");
    }
    if (view.scheme_id() != boost::urls::scheme::http && view.scheme_id() != boost::urls::scheme::https) {
        return refused(url, "must begin with https:// (or http:// to this machine)");
    }
    if (view.has_query() || view.has_fragment()) {
        return refused(url, "must not hold a query or a fragment");
    }
    origin made;
    made.tls = view.scheme_id() == boost::urls::scheme::https;
    made.host = view.host_address();
    if (made.host.empty()) {
        return refused(url, "names no host");
    }
    if (!view.encoded_path().empty() && !view.encoded_path().starts_with('/')) {
        // Boost.URL 1.81 reads "127.0.0.1.example.com" as an address followed by a path.
        return refused(url, "names a host that begins like an address but is none");
    }
    const std::optional<std::string> port = port_of(view, made.tls);
    if (!port) {
        return refused(url, "has a port that is not 1 to 65535");
    }
    made.port = *port;
    made.host_field = std::string(view.encoded_host_and_port());
    made.base_path = std::string(view.encoded_path());
    while (made.base_path.ends_with('/')) {
        made.base_path.pop_back();
    }
    if (allowed == plain_http::this_machine && !made.tls && !is_loopback(made.host)) {
        return refused(url, "is plain http to another machine, where the API key would travel readable: use https");
    }
    return made;
}

std::string origin::url() const {
    return (tls ? "https://" : "http://") + host_field + base_path;
}

bool origin::same_place(const origin& other) const noexcept {
    return tls == other.tls && port == other.port && boost::urls::grammar::ci_is_equal(host, other.host);
}

result<located_url> split_url(std::string_view url, plain_http allowed) {
    const auto refuse = [](std::string_view why) {
        return error(errc::invalid_argument, "the URL of a file " + std::string(why));
    };
    if (url.size() > url_max) {
        return refuse("is longer than 16 KiB");
    }
    if (!std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; })) {
        return refuse("holds a byte that is not a visible ASCII character");
    }
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) {
        return refuse("does not begin with https:// or http://");
    }
    const std::size_t path = std::min(url.find_first_of("/?#", scheme_end + 3), url.size());
    result<origin> at = origin::parse(url.substr(0, path), allowed);
    if (!at) {
        return refuse("leads nowhere: " + at.error().message);
    }
    located_url made;
    made.at = std::move(*at);
    const std::string_view rest = url.substr(path, std::min(url.find('#', path), url.size()) - path);
    made.target = (rest.starts_with('/') ? "" : "/") + std::string(rest);
    return made;
}

}  // namespace vembed::http
