#include "text/json/readable_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace vembed::text {
namespace {

constexpr std::size_t escape_size = 6;

// The code unit of the escape \uXXXX at `at`.
std::optional<std::uint32_t> code_unit_at(std::string_view text, std::size_t at) noexcept {
    const std::string_view escape = text.substr(std::min(at, text.size()), escape_size);
    if (escape.size() < escape_size || !escape.starts_with("\\u")) {
        return std::nullopt;
    }
    std::uint32_t unit = 0;
    const char* const end = escape.data() + escape_size;
    const auto read = std::from_chars(escape.data() + 2, end, unit, 16);
    return read.ec == std::errc() && read.ptr == end ? std::optional(unit) : std::nullopt;
}

bool is_first_half(std::uint32_t unit) noexcept {
    return unit >= 0xd800 && unit < 0xdc00;
}

bool is_second_half(std::uint32_t unit) noexcept {
    return unit >= 0xdc00 && unit < 0xe000;
}

}  // namespace

std::string readable_json(std::string_view text) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (text.starts_with(mark)) {
        text.remove_prefix(mark.size());
    }
    std::string clean(text);
    // A backslash stands in strings only, and it always escapes what follows it.
    for (std::size_t at = clean.find('\\'); at != std::string::npos; at = clean.find('\\', at)) {
        const std::optional<std::uint32_t> unit = code_unit_at(clean, at);
        if (!unit) {
            at += 2;
            continue;
        }
        const std::optional<std::uint32_t> next = code_unit_at(clean, at + escape_size);
        if (is_first_half(*unit) && next && is_second_half(*next)) {
            at += 2 * escape_size;
            continue;
        }
        if (is_first_half(*unit) || is_second_half(*unit)) {
            clean.replace(at, escape_size, "\\ufffd");
        }
        at += escape_size;
    }
    return clean;
}

}  // namespace vembed::text
