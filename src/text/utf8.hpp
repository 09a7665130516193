#pragma once
/// Validates input texts as UTF-8 before anything is paid for.

#include <cstddef>
#include <optional>
#include <string_view>

namespace vembed::text {

/// The offset of the first byte of the first ill-formed sequence, or nothing if `text` is UTF-8 as the Unicode standard
/// (table 3-7) and RFC 3629 define it: no surrogates, no overlong forms, nothing above U+10FFFF, and no sequence that
/// is cut off at the end.
std::optional<std::size_t> first_invalid_utf8(std::string_view text) noexcept;

}  // namespace vembed::text
