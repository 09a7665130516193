#pragma once
/// Reads JSON as row proofs allow it, which two independent readers cannot read in two ways.

#include <cstddef>
#include <string_view>

#include <boost/json/value.hpp>

#include <vembed/core/result.hpp>

namespace vembed::verify {

/// Reads `text`: valid UTF-8 without lone surrogates, no key twice in an object, numbers of 1 to 15 digits without
/// sign, fraction or exponent, at most row_proof_depth_max nested arrays and objects and row_proof_values_max values.
/// errc::protocol if it is anything else. It takes a small multiple of the text's strings in memory.
result<boost::json::value> read_strict_json(std::string_view text);

}  // namespace vembed::verify
