#pragma once
/// Base URLs of services, as users write them.

#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::policy {

/// The part of `given` before its slashes at the end. invalid_argument, with `hint` at the end of its message, if it is
/// no http(s) URL of at most 2,048 visible characters, or has a user name, query or fragment. Whether plain http is
/// allowed depends on the host and is decided by http::origin.
result<std::string_view> base_url_without_slash(std::string_view given, std::string_view hint);

/// Takes `end` and slashes after it off a URL that ends so below its host. False if it does not.
bool drop_url_end(std::string_view& url, std::string_view end);

/// True if the URL has nothing after its host.
bool is_host_only(std::string_view url);

}  // namespace vembed::policy
