#pragma once
/// The quiet that a service asks for with Retry-After, and how its callers come back after it: not all at once.

#include <chrono>
#include <cstdint>

#include <vembed/core/failure.hpp>
#include <vembed/core/time.hpp>

namespace vembed::policy {

/// How long callers come back gradually. Every second of it allows twice as many requests as the one before.
inline constexpr std::chrono::seconds return_length{10};

/// Units (requests, or chunks where those are more) that may have been sent `elapsed` after a pause ended, where
/// `share` of them are allowed in the first second: share · (2^t − 1) at whole seconds t, straight lines between.
double units_returned(monotonic_clock::duration elapsed, double share) noexcept;

/// The time after a pause at which that many units have been let back: the inverse.
monotonic_clock::duration return_time(double units, double share) noexcept;

class pause_state {
public:
    monotonic_time until{};             ///< Nothing is sent before.
    errc because = errc::service_busy;  ///< What the service said.
    double returned = 0;                ///< Units let back since `until`.

    pause_state() = default;
};

class shared_pause {
public:
    shared_pause() = default;
    explicit shared_pause(const pause_state& state) : state_(state) {}

    /// The service asked for quiet until then. The longest wish wins; says whether this one did.
    bool extend(monotonic_time until, errc because) noexcept;

    /// When the next request may be sent, if it asks again then: `now` where that is now.
    [[nodiscard]] monotonic_time next(monotonic_time now, double share) const noexcept;

    /// A request of that many units is sent at next().
    void sent(monotonic_time at, double units, double share) noexcept;

    [[nodiscard]] bool closed(monotonic_time now) const noexcept { return now < state_.until; }
    /// Neither closed nor coming back from it.
    [[nodiscard]] bool over(monotonic_time now) const noexcept { return now >= calm_at(); }
    /// From when on nobody is held back, as far as is known now.
    [[nodiscard]] monotonic_time calm_at() const noexcept;

    [[nodiscard]] const pause_state& state() const noexcept { return state_; }

private:
    pause_state state_;
};

}  // namespace vembed::policy
