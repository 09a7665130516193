#pragma once
/// The pause that a service asks for with Retry-After, and the gradual return of its callers after it.

#include <chrono>
#include <cstdint>

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>

namespace vembed::policy {

/// How long callers come back gradually. Each second of it allows twice as many requests as the one before.
inline constexpr std::chrono::seconds return_length{10};

/// Units (requests, or chunks if those are more) that may have been sent `elapsed` after a pause ended, if `share` of
/// them are allowed in the first second: share · (2^t − 1) at whole seconds t, linear between them.
double units_returned(monotonic_clock::duration elapsed, double share) noexcept;

/// The inverse: the time after a pause at which that many units have been let back.
monotonic_clock::duration return_time(double units, double share) noexcept;

class pause_state {
public:
    monotonic_time until{};             ///< Nothing is sent before that time.
    errc because = errc::service_busy;  ///< What the service said.
    double returned = 0;                ///< Units sent since `until`.

    pause_state() = default;
};

class shared_pause {
public:
    shared_pause() = default;
    explicit shared_pause(const pause_state& state) : state_(state) {}

    /// The service asked for quiet until then. The latest time is kept; the result is true if it is this one.
    bool extend(monotonic_time until, errc because) noexcept;

    /// When the next request may be sent; `now` if it may be sent now. The request must ask again at that time.
    [[nodiscard]] monotonic_time next(monotonic_time now, double share) const noexcept;

    /// A request of that many units is sent at the time that next() gave.
    void sent(monotonic_time at, double units, double share) noexcept;

    [[nodiscard]] bool closed(monotonic_time now) const noexcept { return now < state_.until; }
    /// True if there is neither a pause nor a gradual return from one.
    [[nodiscard]] bool over(monotonic_time now) const noexcept { return now >= calm_at(); }
    /// The time from which nobody is held back, as far as is known now.
    [[nodiscard]] monotonic_time calm_at() const noexcept;

    [[nodiscard]] const pause_state& state() const noexcept { return state_; }

private:
    pause_state state_;
};

}  // namespace vembed::policy
