#pragma once

#include <chrono>

#include "vembed/core/time.hpp"

namespace vembed::testing {

/// A moment for a test that sets the time itself: `since` after one hour past the clock's zero.
inline monotonic_time at(monotonic_clock::duration since) {
    return monotonic_time(std::chrono::hours(1)) + since;
}

}  // namespace vembed::testing
