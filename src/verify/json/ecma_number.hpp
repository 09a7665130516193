#pragma once
/// Writes numbers as ECMAScript does (ECMA-262, Number::toString with radix 10), which RFC 8785 prescribes.

#include <string>

namespace vembed::verify {

/// Appends `value`, which must be finite, in the fewest digits that read back as the same double. -0 becomes "0".
void append_ecma_number(std::string& out, double value);

}  // namespace vembed::verify
