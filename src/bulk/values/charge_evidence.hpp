#pragma once
/// Weighs what the account's count of chunks tells of submissions in doubt, and from when on: pure.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <vembed/bulk/options.hpp>
#include <vembed/core/time.hpp>

#include "policy/quota/reconcile.hpp"

namespace vembed::bulk {

/// The times by which it is judged when a submission that an earlier process left was sent.
class intent_times {
public:
    wall_time wall_now{};
    monotonic_time now{};
    std::chrono::milliseconds margin{0};  ///< The longest time from a journalled intent to the last byte of its POST.

    intent_times() = default;

    /// The latest time at which that byte can have been written; never after this process began.
    [[nodiscard]] monotonic_time written_by(const journalled_batch& left) const;
};

inline bool has_no_answer(const journalled_batch& left) noexcept {
    return left.state == batch_state::intent || left.state == batch_state::unknown;
}

class charge_evidence {
public:
    explicit charge_evidence(const bulk_options& options)
        : arrival_wait_(options.arrival_wait), job_timeout_(options.job_timeout), sole_use_(options.sole_use) {}

    void adopt(const run_facts& facts);
    void write_to(run_facts& facts) const;

    /// Takes the account's count before the run's first submission.
    void take_baseline(const policy::account_count& counted, wall_time now);
    [[nodiscard]] std::optional<policy::account_count> baseline() const;

    /// Notes that a job was accepted: a late charge of it could hide that of a submission in doubt.
    void job_accepted(monotonic_time at) noexcept { last_accepted_ = std::max(last_accepted_, at); }
    /// Notes that nothing of a submission in doubt was written later than `by`.
    void in_doubt_sent(monotonic_time by) noexcept { last_in_doubt_ = std::max(last_in_doubt_, by); }
    /// Notes that a job's charge may be given back, or was never made: the count decides nothing from now on.
    void job_came_to_nothing() noexcept { jobs_came_to_nothing_ = true; }

    /// Whether a count right after the first job's acceptance would tell anything.
    [[nodiscard]] bool wants_first_count() const noexcept { return baseline_ && !charged_on_acceptance_; }
    /// Takes the count after the first job was accepted, and whether the job was seen to be under way still. `charged`
    /// is what the run's jobs were charged by then: if the count has risen by that, it shows charges at once.
    void first_job_seen(const std::optional<policy::account_count>& counted, bool under_way, std::uint64_t charged);

    /// Why the count will never decide; empty if it may.
    [[nodiscard]] std::string why_undecidable() const;
    /// The time at which all charges have been made, if no job has to end first.
    [[nodiscard]] monotonic_time charges_made_at() const noexcept;
    /// Whether all charges have been made at `now`, for submissions up to `last_sent` too. `jobs_in_flight`: some of
    /// the run's jobs have not ended.
    [[nodiscard]] bool charges_are_made(monotonic_time now, bool jobs_in_flight,
                                        monotonic_time last_sent = monotonic_time()) const noexcept;
    /// The time until a later process can decide, which knows a submission's time only to within `intent_margin`. Empty
    /// if it cannot decide, or if that is not known because jobs have to end first.
    [[nodiscard]] std::optional<std::chrono::seconds> decidable_in(monotonic_time now, bool jobs_in_flight,
                                                                   std::chrono::milliseconds intent_margin) const;

    /// What the run's submissions in doubt are judged by, except for the count now.
    [[nodiscard]] policy::reconciliation weigh(std::uint64_t chunks_in_doubt, std::uint64_t charged,
                                               bool charges_are_made) const;
    /// Judges the submissions in doubt that earlier processes left; `counted` is the count now.
    [[nodiscard]] policy::unknown_verdict judge_left(const prior_run& left, const intent_times& times,
                                                     const std::optional<policy::account_count>& counted) const;

private:
    [[nodiscard]] std::chrono::seconds charges_made_after() const noexcept;

    std::chrono::seconds arrival_wait_;
    std::chrono::seconds job_timeout_;
    bool sole_use_;
    std::optional<account_baseline> baseline_;
    bool charged_on_acceptance_ = false;
    bool jobs_came_to_nothing_ = false;
    monotonic_time last_in_doubt_{};
    monotonic_time last_accepted_{};
};

}  // namespace vembed::bulk
