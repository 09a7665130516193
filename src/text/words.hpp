#pragma once
/// Compares, cuts and replaces parts of short texts. Pure.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace vembed::text {

/// Of ASCII letters only.
constexpr char lower_case(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether two words are the same but for the case of ASCII letters.
constexpr bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower_case(x) == lower_case(y); });
}

inline std::string lowered(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(), lower_case);
    return made;
}

/// Without the spaces and tabs around it, which surround the values of HTTP headers.
constexpr std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view space = " \t";
    text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
    return text.substr(0, text.find_last_not_of(space) + 1);
}

/// The media type of a Content-Type header without its parameters.
constexpr std::string_view media_type(std::string_view content_type) noexcept {
    return trimmed(content_type.substr(0, content_type.find(';')));
}

/// The first `bytes_max` bytes at most; a character of UTF-8 is never split.
inline std::string cut_text(std::string_view text, std::size_t bytes_max) {
    std::size_t size = std::min(text.size(), bytes_max);
    while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) {
        --size;
    }
    return std::string(text.substr(0, size));
}

/// Puts `by` in the place of each `what`, which must not be empty, and says whether there was one. What was put in is
/// not looked at again.
inline bool replace_all(std::string& text, std::string_view what, std::string_view by) {
    bool found = false;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
        found = true;
    }
    return found;
}

}  // namespace vembed::text
