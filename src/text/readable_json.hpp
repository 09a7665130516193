#pragma once
/// What is done to JSON from outside before it is read, so that its text cannot keep a reader from what matters in it.

#include <cstddef>
#include <string>
#include <string_view>

namespace vembed::text {

/// How deep the service's JSON may nest: deeper is no reply or receipt of any version.
inline constexpr std::size_t json_depth_max = 256;

/// `text` without a byte order mark, each escape of half a surrogate pair (`\ud83d` of a message that was cut) replaced
/// by `\ufffd`. Everything else is as it was. Never for what is hashed: that takes the bytes as they came.
std::string readable_json(std::string_view text);

}  // namespace vembed::text
