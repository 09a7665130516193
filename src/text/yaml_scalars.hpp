#pragma once
/// Reads the scalars of a YAML document. Pure.

#include <map>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::text {

/// Scalars under their keys, which are joined with dots: {"chunking.chunk_size", "25"}.
using yaml_scalars = std::map<std::string, std::string>;

/// Reads one YAML document whose root is a mapping, in flow and block forms alike; an empty text has no scalars. Lists,
/// and keys that have a dot or more than 64 bytes, are read and left out, so that memory is at most a kilobyte for each
/// key. errc::invalid_argument, with a message that begins with "line N " if a line is at fault, if the text is not
/// YAML, is longer than 1 MB, has anchors, aliases or tags that are not YAML's own, has a key that is given twice or is
/// not a scalar, or is nested more than ten levels deep.
result<yaml_scalars> read_yaml_scalars(std::string_view yaml);

}  // namespace vembed::text
