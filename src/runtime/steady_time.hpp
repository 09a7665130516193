#pragma once
/// Converts between the time points of the interfaces and those of the machine's monotonic clock: both have the same
/// zero.

#include <chrono>

#include <vembed/core/time.hpp>

namespace vembed::runtime {

inline std::chrono::steady_clock::time_point to_steady(monotonic_time time) {
    return std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(time.time_since_epoch()));
}

}  // namespace vembed::runtime
