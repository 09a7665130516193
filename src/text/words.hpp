#pragma once
/// Compares, cuts and replaces parts of short texts. Pure.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace vembed::text {

/// Whether two words are the same but for the case of ASCII letters.
constexpr bool same_word(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [lower](char x, char y) { return lower(x) == lower(y); });
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
