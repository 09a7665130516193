#pragma once
/// Finds out how many jobs may be in flight if no limit is known, by trying, with as few refusals as possible.
///
/// A job is `unanswered` until it is accepted, and `borne` from then until it ends. Submissions start slowly (each
/// accepted one admits two more) and soon run without limit if nothing is refused. A refusal shows the cap: the number
/// of jobs borne at that moment. After that, one more than the cap is tried from time to time; if it is accepted, the
/// cap grows further at once.

#include <chrono>
#include <cstdint>
#include <optional>

#include <vembed/core/time.hpp>

namespace vembed::policy {

class flight_state {
public:
    std::optional<std::uint64_t> cap;  ///< It is learned from refusals; empty if nothing was refused yet.
    double unanswered_max = 1;         ///< The most submissions that may wait for a response.
    monotonic_time refused_at{};       ///< Time of the last refusal.
    std::uint64_t accepted_since = 0;  ///< Submissions accepted since the last refusal.
    std::uint64_t climbed = 0;         ///< By how much the cap grew since the last refusal.
    bool climbing = false;             ///< The last try above the cap was accepted.

    flight_state() = default;
};

class flight_limit {
public:
    flight_limit() = default;
    explicit flight_limit(const flight_state& state) : state_(state) {}

    /// Nothing if one more job may be submitted now, else the time at which to ask again. It is no_deadline if a
    /// response or the end of a job must come first.
    [[nodiscard]] std::optional<monotonic_time> wait(monotonic_time now, std::uint64_t borne,
                                                     std::uint64_t unanswered) const noexcept;

    /// A submission was accepted. `borne` is the number of accepted jobs that have not ended, this one included.
    void accepted(monotonic_time now, std::uint64_t borne) noexcept;

    /// A submission was refused because too many jobs are in flight; `borne` jobs were accepted and had not ended.
    void refused(monotonic_time now, std::uint64_t borne) noexcept;

    [[nodiscard]] const flight_state& state() const noexcept { return state_; }

    /// The time between two tries above the cap, long enough to keep refusals rare. The first value holds if
    /// accepted_many jobs were accepted since the last refusal. The second one holds if accepted_enough were, so that
    /// refusals stay below 2 %. The third one holds if jobs are so slow that neither number is reached.
    static constexpr std::chrono::seconds try_again_soon{15};
    static constexpr std::chrono::seconds try_again{24};
    static constexpr std::chrono::seconds try_again_slowly{300};
    static constexpr std::uint64_t accepted_many = 100;
    static constexpr std::uint64_t accepted_enough = 60;

private:
    [[nodiscard]] monotonic_time try_at() const noexcept;

    flight_state state_;
};

}  // namespace vembed::policy
