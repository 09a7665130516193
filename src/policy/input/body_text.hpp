#pragma once
/// Finds the text in a response body.

#include <algorithm>
#include <string_view>

namespace vembed::policy {

/// `body` without a leading byte order mark and the white space after it, so that its first character tells JSON from
/// an HTML page. Empty if nothing else is left.
constexpr std::string_view body_text(std::string_view body) noexcept {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    body.remove_prefix(body.starts_with(mark) ? mark.size() : 0);
    body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    return body;
}

}  // namespace vembed::policy
