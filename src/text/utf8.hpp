#pragma once
/// Validates texts as UTF-8 and decodes bytes that may be something else.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vembed::text {

/// The offset of the first byte of the first ill-formed sequence, or nothing if `text` is UTF-8 as the Unicode standard
/// (table 3-7) and RFC 3629 define it: no surrogates, no overlong forms, nothing above U+10FFFF, and no sequence that
/// is cut off at the end.
std::optional<std::size_t> first_invalid_utf8(std::string_view text) noexcept;

/// U+FFFD in UTF-8.
inline constexpr std::string_view utf8_replacement = "\xef\xbf\xbd";

/// The front of a text: one character, or the maximal part of an ill-formed sequence (Unicode standard, section 3.9).
struct utf8_part {
    std::size_t size = 1;  ///< In bytes, at least 1.
    bool valid = false;
};

/// The first part of a text that is not empty.
utf8_part next_utf8_part(std::string_view text) noexcept;

/// The bytes as UTF-8, with U+FFFD in place of each maximal part of an ill-formed sequence, as the Encoding standard
/// decodes. A byte order mark stays.
std::string decode_utf8(std::string_view bytes);

}  // namespace vembed::text
