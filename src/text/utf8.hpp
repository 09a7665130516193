#pragma once
/// UTF-8 validation of input texts, before anything is paid for.

#include <cstddef>
#include <optional>
#include <string_view>

namespace vembed::text {

/// The offset of the first byte of the first ill-formed sequence, or nothing where `text` is UTF-8 as the Unicode
/// standard (table 3-7) and RFC 3629 have it: no surrogates, no overlong forms, nothing above U+10FFFF, no sequence cut
/// off at the end.
std::optional<std::size_t> first_invalid_utf8(std::string_view text) noexcept;

}  // namespace vembed::text
