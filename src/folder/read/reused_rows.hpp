#pragma once
/// Reads duplicates.jsonl and cached.jsonl, which name the rows of an output folder that its jobs did not buy.

#include <cstdint>
#include <functional>
#include <string>

#include <vembed/core/result.hpp>

namespace vembed::folder {

/// Calls `see` with each row of `folder`/duplicates.jsonl ({"row":7,"same_as":2} a line) and the row it is a copy of. A
/// missing file has no rows. verification_failed if a line has another form; stops at an error of `see`.
result<void> for_each_copied_row(const std::string& folder,
                                 const std::function<result<void>(std::uint64_t row, std::uint64_t same_as)>& see);

/// Calls `see` with each range of `folder`/cached.jsonl ({"rows":[[0,10],[12,13]]} a line): the rows [first, end) came
/// from a cache. A missing file has no ranges, and the errors are those of for_each_copied_row.
result<void> for_each_cached_range(const std::string& folder,
                                   const std::function<result<void>(std::uint64_t first, std::uint64_t end)>& see);

}  // namespace vembed::folder
