#pragma once
/// Decides when a service that does not respond to submissions is tried again: pure.

#include <chrono>
#include <cstdint>
#include <functional>

#include <vembed/core/time.hpp>

namespace vembed::bulk {

enum class submission_kind : std::uint8_t {
    regular,
    trial,  ///< A submission sent alone, although those before it had no response.
};

enum class outage_verdict : std::uint8_t {
    go_on,
    pause,  ///< Nothing is sent until next_trial_at(); then one submission goes alone.
    give_up,
};

/// Each submission without a response is a batch that may be lost, so after a few in a row only trials go out.
class submission_outage {
public:
    /// If as many in a row have no response, it is not chance.
    static constexpr std::uint32_t in_a_row_max = 3;

    submission_outage() = default;

    /// Notes that a submission, or the request before a trial, had no response. `random` spreads the pauses; it is
    /// called only if a pause begins.
    outage_verdict unanswered(submission_kind kind, monotonic_time now, const std::function<std::uint64_t()>& random);
    /// Notes that a submission was accepted. Returns whether any before it had no response.
    bool answered() noexcept;

    [[nodiscard]] bool under_way() const noexcept { return in_a_row_ >= in_a_row_max; }
    [[nodiscard]] std::uint32_t in_a_row() const noexcept { return in_a_row_; }
    [[nodiscard]] monotonic_time next_trial_at() const noexcept { return next_trial_at_; }

private:
    std::uint32_t in_a_row_ = 0;
    std::uint32_t trials_in_vain_ = 0;  ///< Counted since the outage began.
    monotonic_time next_trial_at_{};
};

}  // namespace vembed::bulk
