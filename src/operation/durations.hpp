#pragma once
/// Durations of any unit as nanoseconds, without overflow.

#include <chrono>

#include <vembed/core/time.hpp>

namespace vembed::detail {

/// `given` in the monotonic clock's unit; its largest or smallest value if it does not fit.
template <class Rep, class Period>
constexpr monotonic_clock::duration saturated(std::chrono::duration<Rep, Period> given) noexcept {
    using whole = monotonic_clock::duration;
    // Rounded towards zero, so comparing in the coarser unit cannot overflow.
    constexpr auto most = std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(whole::max());
    if (given >= most) {
        return whole::max();
    }
    return given <= -most ? whole::min() : std::chrono::duration_cast<whole>(given);
}

/// `given` as a time limit: a negative value becomes zero, and the largest is a hundred years. So it can be added to
/// any reading of a clock and expressed in any unit without overflow.
template <class Rep, class Period>
constexpr std::chrono::duration<Rep, Period> bounded(std::chrono::duration<Rep, Period> given) noexcept {
    using unit = std::chrono::duration<Rep, Period>;
    constexpr auto most = std::chrono::duration_cast<unit>(std::chrono::years(100));
    return given < unit::zero() ? unit::zero() : (given > most ? most : given);
}

}  // namespace vembed::detail
