#include "policy/input/base_url.hpp"

#include <algorithm>
#include <string>

namespace vembed::policy {
namespace {

constexpr std::size_t url_bytes_max = 2048;

error bad_url(std::string_view why, std::string_view hint) {
    return {errc::invalid_argument, "the base URL " + std::string(why) + "; " + std::string(hint)};
}

std::size_t host_of(std::string_view url) {
    return url.find("//") + 2;
}

void drop_slashes(std::string_view& url) {
    while (url.size() > host_of(url) + 1 && url.ends_with('/')) {
        url.remove_suffix(1);
    }
}

}  // namespace

result<std::string_view> base_url_without_slash(std::string_view given, std::string_view hint) {
    if (given.size() > url_bytes_max) {
        return bad_url("is longer than 2,048 bytes", hint);
    }
    const bool is_http = given.starts_with("http://") || given.starts_with("https://");
    const std::size_t host = is_http ? host_of(given) : given.size();
    if (given.size() <= host || given[host] == '/') {
        return bad_url("does not begin with http:// or https:// and a host", hint);
    }
    if (std::ranges::any_of(given, [](char c) { return c <= 0x20 || c >= 0x7f; })) {
        return bad_url("holds a space, a control character or one that is not ASCII", hint);
    }
    if (given.find_first_of("?#") != std::string_view::npos) {
        return bad_url("has a query or fragment", hint);
    }
    if (given.substr(host, given.find('/', host) - host).find('@') != std::string_view::npos) {
        return bad_url("has a user name or password", hint);
    }
    drop_slashes(given);
    return given;
}

bool drop_url_end(std::string_view& url, std::string_view end) {
    if (url.size() <= host_of(url) + end.size() || !url.ends_with(end)) {
        return false;
    }
    url.remove_suffix(end.size());
    drop_slashes(url);
    return true;
}

bool is_host_only(std::string_view url) {
    return url.find('/', host_of(url)) == std::string_view::npos;
}

}  // namespace vembed::policy
