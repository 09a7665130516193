#pragma once
/// @file
/// Time as values. Nothing here can tell what time it is: only an environment can (vembed/runtime/environment.hpp).

#include <chrono>
#include <cstdint>

namespace vembed {

/// The clock that deadlines are measured on. It has no `now()` on purpose: ask the environment.
struct monotonic_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<monotonic_clock>;
    static constexpr bool is_steady = true;
};

/// A point on the monotonic clock. Survives changes of the wall clock; means nothing in another process.
using monotonic_time = monotonic_clock::time_point;

/// UTC with a resolution of one millisecond. For dates in headers, receipts and files, never for deadlines.
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// A deadline that never comes.
inline constexpr monotonic_time no_deadline = monotonic_time::max();

/// `now + delay`, or no_deadline if the sum would overflow. Negative delays count as zero.
constexpr monotonic_time deadline_after(monotonic_time now, monotonic_clock::duration delay) noexcept {
    if (delay <= monotonic_clock::duration::zero()) {
        return now;
    }
    return now >= no_deadline - delay ? no_deadline : now + delay;
}

}  // namespace vembed
