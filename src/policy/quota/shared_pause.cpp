#include "policy/quota/shared_pause.hpp"

#include <algorithm>
#include <cmath>

namespace vembed::policy {
namespace {

constexpr double second = 1e9;  // One second in the clock's unit.

double length() noexcept {
    return static_cast<double>(return_length.count());
}

}  // namespace

double units_returned(monotonic_clock::duration elapsed, double share) noexcept {
    const double seconds = std::clamp(static_cast<double>(elapsed.count()) / second, 0.0, length());
    const double whole = std::floor(seconds);
    const double doubled = std::exp2(whole);
    return share * (doubled - 1 + (seconds - whole) * doubled);
}

monotonic_clock::duration return_time(double units, double share) noexcept {
    const double shares = std::max(units / share, 0.0);
    const double whole = std::floor(std::log2(shares + 1));
    const double doubled = std::exp2(std::min(whole, length()));
    const double seconds = std::min(whole + (shares - (doubled - 1)) / doubled, length());
    // The time is rounded up, because a moment too early would be one request too many.
    return monotonic_clock::duration(static_cast<monotonic_clock::rep>(std::ceil(seconds * second)));
}

bool shared_pause::extend(monotonic_time until, errc because) noexcept {
    if (until <= state_.until) {
        return false;
    }
    state_.until = until;
    state_.because = because;
    state_.returned = 0;
    return true;
}

monotonic_time shared_pause::calm_at() const noexcept {
    const bool never_paused = state_.until == monotonic_time{};
    return never_paused ? state_.until : deadline_after(state_.until, return_length);
}

monotonic_time shared_pause::next(monotonic_time now, double share) const noexcept {
    if (over(now)) {
        return now;
    }
    return std::max(now, deadline_after(state_.until, return_time(state_.returned, share)));
}

void shared_pause::sent(monotonic_time at, double units, double share) noexcept {
    if (over(at)) {
        return;
    }
    // Time that passed unused is not saved up.
    state_.returned = std::max(state_.returned, units_returned(at - state_.until, share)) + units;
}

}  // namespace vembed::policy
