#pragma once
/// The progress of something, on one line of a terminal. Pure.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <vembed/bulk/options.hpp>

namespace vembed::cli {

/// The state of a run on one line:
/// `412k/1.2M rows 34% | 61 rows/s | 8 in flight | 41/60 chunks/min, day 87/100 | 2 pauses, 12 s |
/// done in 2d 03h (day quota)`.
/// A value is left out if it is not known or is zero. If the line has `columns` or more, the least useful parts go too.
std::string progress_line(const progress& state, std::size_t columns = std::string::npos);

/// "1.2M rows read | 120 MB of 211 MB 56% | 350,000 rows/s | done in 12 s". A value is left out if it is not known.
std::string reading_line(std::uint64_t rows, std::uint64_t bytes, std::uint64_t bytes_total,
                         std::chrono::milliseconds elapsed);

}  // namespace vembed::cli
