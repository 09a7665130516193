#pragma once
/// @file
/// Which rows of a corpus, as ranges.

#include <cstdint>
#include <utility>
#include <vector>

namespace vembed {

/// Half-open ranges of corpus rows, ascending and not touching.
using row_ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

}  // namespace vembed
