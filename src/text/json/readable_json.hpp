#pragma once
/// Prepares JSON from outside before it is read, so that a defect of its text does not hide its content from a reader.

#include <cstddef>
#include <string>
#include <string_view>

namespace vembed::text {

/// The maximum nesting of the service's JSON: no response or receipt of any version is deeper.
inline constexpr std::size_t json_depth_max = 256;

/// `text` without a byte order mark, and with each escape of half a surrogate pair (`\ud83d` of a message that was cut)
/// replaced by `\ufffd`. Everything else is unchanged. Do not use it for text that is hashed: a hash takes the bytes as
/// received.
std::string readable_json(std::string_view text);

}  // namespace vembed::text
