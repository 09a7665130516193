#pragma once
/// Base64 with padding (RFC 4648, section 4), of less than a gigabyte. Each value has exactly one text.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vembed::text {

std::string to_base64(std::span<const std::byte> bytes);

/// The bytes of `text`; nothing if `text` is not exactly what to_base64 gives for some bytes.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace vembed::text
