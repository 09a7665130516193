#pragma once
/// Reads what an output folder says of rows that its jobs did not buy: duplicates.jsonl and cached.jsonl.

#include <cstdint>
#include <functional>
#include <string>

#include <vembed/core/result.hpp>

namespace vembed::folder {

/// Calls `see` with each row of `folder`/duplicates.jsonl ({"row":7,"same_as":2} a line) and the row it is a copy of.
/// A file that is not there has none. verification_failed where a line is something else; stops at a failure of `see`.
result<void> for_each_copied_row(const std::string& folder,
                                 const std::function<result<void>(std::uint64_t row, std::uint64_t same_as)>& see);

/// The same for `folder`/cached.jsonl ({"rows":[[0,10],[12,13]]} a line): rows [first, end) came from a cache.
result<void> for_each_cached_range(const std::string& folder,
                                   const std::function<result<void>(std::uint64_t first, std::uint64_t end)>& see);

}  // namespace vembed::folder
