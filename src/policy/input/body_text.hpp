#pragma once
/// Where the text of a reply's body begins.

#include <algorithm>
#include <string_view>

namespace vembed::policy {

/// `body` without a byte order mark at its beginning and the white space after that: what tells JSON from a page by its
/// first character. Empty where there is nothing else.
constexpr std::string_view body_text(std::string_view body) noexcept {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    body.remove_prefix(body.starts_with(mark) ? mark.size() : 0);
    body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    return body;
}

}  // namespace vembed::policy
