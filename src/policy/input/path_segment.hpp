#pragma once
/// Ids in URL paths: an id that came from a service or a user may not change which resource is asked for.

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
/// invalid_argument, with a message that does not quote the id: empty; longer than path_segment_bytes_max; holding a
/// control character; or a dot segment ("." and ".."), also where its dots are written %2e or %2E.
result<std::string> encode_path_segment(std::string_view id);

}  // namespace vembed::policy
