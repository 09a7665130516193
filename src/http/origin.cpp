#include "http/origin.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include <boost/asio/ip/address.hpp>
#include <boost/url/grammar/ci_string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace vembed::http {
namespace {

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
        return refused(url, "is plain http to another machine, on which the API key could be read: use https");
    }
    return made;
}

std::string origin::url() const {
    return (tls ? "https://" : "http://") + host_field + base_path;
}

}  // namespace vembed::http
