#pragma once
/// The time between two long polls for a job.

#include <chrono>
#include <string>
#include <string_view>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// A service holds a long poll for as long as nothing happens. If it responds at once, it must not be asked without
/// pause: two requests are a second apart, and twice as far each time that an early response shows the same state, at
/// most 5 s.
class poll_pace {
public:
    static constexpr std::chrono::seconds least{1};
    static constexpr std::chrono::seconds most{5};

    /// The least time from the beginning of the last request to that of the next. `took` is how long the last one was
    /// held; `state` is what it found.
    std::chrono::seconds after(std::string_view state, monotonic_clock::duration took);

private:
    std::chrono::seconds distance_ = least;
    std::string state_;
};

}  // namespace vembed::policy
