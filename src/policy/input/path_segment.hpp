#pragma once
/// Ids in URL paths. An id from a service or a user must not change which resource is requested.

#include <cstddef>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::policy {

/// The longest id, in bytes, that is put into a path.
inline constexpr std::size_t path_segment_bytes_max = 256;

/// Percent-encodes `id` as one path segment (RFC 3986, section 3.3): unreserved characters, sub-delims, ':' and '@'
/// stay, every other byte becomes %XX.
///
/// invalid_argument, with a message that does not quote the id, if the id is empty, is longer than
/// path_segment_bytes_max, holds a control character, or is a dot segment ("." or "..", even if its dots are written
/// %2e or %2E).
result<std::string> encode_path_segment(std::string_view id);

}  // namespace vembed::policy
