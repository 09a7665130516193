#pragma once
/// How many jobs may be in flight where nobody says: found by trying, with as few refusals as possible.
///
/// Jobs are `borne` from their acceptance to their end and `unanswered` before. Submissions start slowly (each one
/// accepted admits two more) and, where nothing is refused, soon run unhindered. A refusal shows the cap: what was
/// borne then. From there on, now and then one more than the cap is tried; where it is borne, the climb goes on at
/// once.

#include <chrono>
#include <cstdint>
#include <optional>

#include <vembed/core/time.hpp>

namespace vembed::policy {

class flight_state {
public:
    std::optional<std::uint64_t> cap;  ///< Learned; empty: nothing was refused yet.
    double unanswered_max = 1;         ///< Submissions without an answer, at most.
    monotonic_time refused_at{};       ///< The last refusal.
    std::uint64_t accepted_since = 0;  ///< Submissions accepted since then.
    std::uint64_t climbed = 0;         ///< By how much the cap grew since then.
    bool climbing = false;             ///< The last try above the cap was borne.

    flight_state() = default;
};

class flight_limit {
public:
    flight_limit() = default;
    explicit flight_limit(const flight_state& state) : state_(state) {}

    /// Whether one more may be submitted: nothing where it may, else when asking again makes sense; no_deadline where
    /// an answer or the end of a job must come first.
    [[nodiscard]] std::optional<monotonic_time> wait(monotonic_time now, std::uint64_t borne,
                                                     std::uint64_t unanswered) const noexcept;

    /// A submission was accepted; with it `borne` jobs are.
    void accepted(monotonic_time now, std::uint64_t borne) noexcept;

    /// One was refused because too many are in flight, of which `borne` had been accepted.
    void refused(monotonic_time now, std::uint64_t borne) noexcept;

    [[nodiscard]] const flight_state& state() const noexcept { return state_; }

    /// Between two tries above the cap, so that refusals stay rare: where many were accepted since; where enough were
    /// for a refusal to stay below 2 % of them; and where jobs are so slow that neither comes to pass.
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
