#pragma once
/// JSON as row proofs allow it: what two independent readers cannot read in two ways.

#include <cstddef>
#include <string_view>

#include <boost/json/value.hpp>

#include <vembed/core/result.hpp>

namespace vembed::verify {

/// Reads `text`: valid UTF-8 without lone surrogates, no key twice in an object, numbers of 1 to 15 digits without
/// sign, fraction or exponent, at most row_proof_depth_max arrays and objects in each other and row_proof_values_max
/// values. errc::protocol for anything else. Memory is a small multiple of the text's strings.
result<boost::json::value> read_strict_json(std::string_view text);

}  // namespace vembed::verify
