#pragma once
/// Counts calls in a window that slides.

#include <chrono>
#include <cstdint>
#include <deque>

#include <vembed/core/time.hpp>

namespace vembed::aitbc_service {

/// Times within the last `length`.
class call_window {
public:
    explicit call_window(monotonic_clock::duration length) : length_(length) {}

    /// Calls within the window that ends at `now`.
    std::uint64_t count(monotonic_time now);
    void add(monotonic_time now);
    [[nodiscard]] std::uint64_t most() const noexcept { return most_; }

private:
    monotonic_clock::duration length_;
    std::deque<monotonic_time> calls_;
    std::uint64_t most_ = 0;
};

/// The two limits, and what really arrived.
class call_windows {
public:
    /// 0: no limit.
    call_windows(std::uint64_t per_minute, std::uint64_t per_hour) : per_minute_(per_minute), per_hour_(per_hour) {}

    /// Counts a call that arrives; false if it is over a limit.
    bool admit(monotonic_time now);

    [[nodiscard]] std::uint64_t in_a_minute_max() const noexcept { return arrived_minute_.most(); }
    [[nodiscard]] std::uint64_t in_an_hour_max() const noexcept { return arrived_hour_.most(); }

private:
    std::uint64_t per_minute_;
    std::uint64_t per_hour_;
    call_window minute_{std::chrono::seconds(60)};
    call_window hour_{std::chrono::seconds(3600)};
    call_window arrived_minute_{std::chrono::seconds(60)};
    call_window arrived_hour_{std::chrono::seconds(3600)};
};

}  // namespace vembed::aitbc_service
