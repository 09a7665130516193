#pragma once
/// @file
/// The canonical form of a JSON text (RFC 8785): the same value always gives the same bytes, so that it can be hashed.

#include <cstddef>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed {

/// The deepest nesting of arrays and objects that is read.
inline constexpr std::size_t canonical_json_depth_max = 64;

/// The canonical form of `json_text`: no white space, object members sorted by the UTF-16 code units of their keys,
/// numbers as ECMAScript writes them, strings with the fewest escapes.
///
/// Fails with errc::protocol, naming the cause and its position: not JSON, trailing text, duplicate keys, invalid
/// UTF-8, lone surrogates, a number outside the range of a double (also one so small that it would become zero), an
/// integer that is neither a double's exact value nor written as one (9007199254740993: it would hash like its
/// neighbour), nesting deeper than canonical_json_depth_max. Fractions are rounded to the nearest double, as the RFC
/// has it.
result<std::string> canonical_json(std::string_view json_text);

/// Like canonical_json, for a text that is an object (else errc::protocol), leaving out its member `top_level_key` if
/// it has one. What is left out must be canonicalisable too.
result<std::string> canonical_json_without(std::string_view json_text, std::string_view top_level_key);

}  // namespace vembed
