#include "cyberun/download/next_hop.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::size_t url_bytes_max = std::size_t{16} << 10;
constexpr std::uint32_t redirects_max = 5;

error bad_link(std::string what) {
    return {errc::protocol, std::move(what)};
}

// What stands before the path: "https://host:port".
std::string_view before_path(std::string_view url) {
    return url.substr(0, url.find_first_of("/?#", url.find("//") + 2));
}

bool is_host_text(std::string_view host) {
    const bool is_address = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const std::string_view others = is_address ? "[]:.%" : "-._";
    return !host.empty() && std::ranges::all_of(host, [others](char c) {
        return (c >= '0' && c <= '9') || (text::lower_case(c) >= 'a' && text::lower_case(c) <= 'z') ||
               others.find(c) != std::string_view::npos;
    });
}

std::optional<std::string> port_of(std::string_view digits) {
    std::uint16_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [read, problem] = std::from_chars(digits.data(), end, number);
    return problem == std::errc() && read == end && number != 0 ? std::optional(std::to_string(number)) : std::nullopt;
}

// Fills host, port and host_field from "host:port"; false if it is nothing of that form.
bool fill_host(download_url& made, std::string_view authority) {
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string_view host = authority.substr(0, colon);
    std::optional<std::string> port = made.tls ? "443" : "80";
    if (colon != std::string_view::npos && colon + 1 < authority.size()) {
        port = port_of(authority.substr(colon + 1));
    }
    if (!port || !is_host_text(host)) {
        return false;
    }
    made.port = *port;
    // As it stands in the URL, because it is signed; but for a colon without a port.
    made.host_field = std::string(authority.ends_with(':') ? host : authority);
    made.host = text::lowered(host.front() == '[' ? host.substr(1, host.size() - 2) : host);
    return true;
}

// A relative path below the folder of `path`, without the dot segments that it begins with or holds.
std::string below_folder(std::string_view path, std::string_view relative) {
    std::string folder(path.substr(0, path.rfind('/') + 1));
    folder = folder.empty() ? "/" : folder;
    while (!relative.empty()) {
        const std::size_t slash = relative.find('/');
        const std::string_view segment = relative.substr(0, slash);
        const bool is_last = slash == std::string_view::npos;
        if (segment == "..") {
            folder.pop_back();
            folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/') + 1);
            folder = folder.empty() ? "/" : folder;
        } else if (segment != ".") {
            folder.append(segment).append(is_last ? "" : "/");
        }
        relative.remove_prefix(is_last ? relative.size() : slash + 1);
    }
    return folder;
}

bool has_scheme(std::string_view location) {
    const std::size_t colon = location.find(':');
    return colon != std::string_view::npos && colon > 0 && location.find_first_of("/?#") > colon;
}

// RFC 3986, section 5.2.2, but for the fragment and for dot segments outside relative paths.
std::string resolve(std::string_view base, std::string_view location) {
    if (has_scheme(location)) {
        return std::string(location);
    }
    if (location.starts_with("//")) {
        return std::string(base.substr(0, base.find("//"))) + std::string(location);
    }
    const std::string_view site = before_path(base);
    if (location.starts_with('/')) {
        return std::string(site) + std::string(location);
    }
    const std::string_view below = base.substr(site.size());
    const std::string_view path = below.substr(0, below.find('?'));
    if (location.starts_with('?')) {
        return std::string(site) + std::string(path) + std::string(location);
    }
    const std::size_t end = std::min(location.find_first_of("?#"), location.size());
    return std::string(site) + below_folder(path, location.substr(0, end)) + std::string(location.substr(end));
}

}  // namespace

result<download_url> read_download_url(std::string_view url, const hop_rules& rules) {
    const bool is_visible = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
    if (url.empty() || url.size() > url_bytes_max || !is_visible) {
        return bad_link("the link to a file is no URL of at most 16 KiB of visible characters");
    }
    url = url.substr(0, url.find('#'));
    const std::size_t colon = std::min(url.find("://"), url.size());
    const std::string_view scheme = url.substr(0, colon);
    download_url made;
    made.tls = text::same_word(scheme, "https");
    if (!made.tls && !(rules.plain_http && text::same_word(scheme, "http"))) {
        return bad_link("the link to a file is not https, which files are fetched by");
    }
    const std::string_view authority = before_path(url).substr(std::min(colon + 3, before_path(url).size()));
    if (!fill_host(made, authority)) {
        return bad_link("the link to a file names no host, or a user name");
    }
    if (!rules.hosts.empty() && std::ranges::find(rules.hosts, made.host) == rules.hosts.end()) {
        return bad_link("the link to a file leads to the host " + made.host +
                        ", which is not among the allowed ones: allow it if it is the service's store");
    }
    made.url = std::string(url);
    made.target = std::string(url.substr(before_path(url).size()));
    if (!made.target.starts_with('/')) {
        made.target.insert(0, "/");
    }
    return made;
}

result<download_url> next_hop(http_method method, const download_url& from, std::string_view location,
                              std::uint32_t redirects, const hop_rules& rules) {
    if (method != http_method::get) {
        return bad_link("the store redirects a request that is not a GET, which is not followed");
    }
    if (redirects >= redirects_max) {
        return bad_link("the store redirects more than 5 times");
    }
    if (location.empty()) {
        return bad_link("the store redirects without a Location");
    }
    auto to = read_download_url(resolve(from.url, location), rules);
    if (to && from.tls && !to->tls) {
        return bad_link("the store redirects from https to http, which is not followed");
    }
    return to;
}

bool is_credential(std::string_view header_name) noexcept {
    constexpr std::array<std::string_view, 5> names{"Authorization", "X-Api-Key", "X-Team-ID", "Cookie",
                                                    "Proxy-Authorization"};
    return std::ranges::any_of(names,
                               [header_name](std::string_view each) { return text::same_word(each, header_name); });
}

std::vector<header_field> without_credentials(std::vector<header_field> headers) {
    std::erase_if(headers, [](const header_field& each) { return is_credential(each.name); });
    return headers;
}

}  // namespace vembed::cyberun
