#pragma once
/// Decides when to ask for the jobs that are waited for, and how: many jobs by their list, one job by itself, at a pace
/// that the hour's calls allow (wire contract, section 3, "Limits"). A value without clock.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <vembed/aitbc/types.hpp>
#include <vembed/core/time.hpp>

namespace vembed::aitbc {

/// Takes what is read of one job. The first terminal state ends the wait; a later one is a late result, which is told
/// and changes nothing (wire contract: "a late result turns CANCELED or EXPIRED into COMPLETED").
class job_watch {
public:
    enum class change : std::uint8_t { none, moved, ended, late_result };

    change observe(const job& seen);
    [[nodiscard]] job_state state() const noexcept { return state_; }

private:
    job_state state_ = job_state::unknown;
    std::string word_;
};

/// What is left of the hour.
class call_budget {
public:
    std::uint64_t left = 0;                 ///< Calls that the hour's window still allows.
    std::uint64_t submissions_to_come = 0;  ///< Calls that are kept for submissions, which go first.

    call_budget() = default;
    call_budget(std::uint64_t calls_left, std::uint64_t kept) : left(calls_left), submissions_to_come(kept) {}
};

/// The next request.
class poll_step {
public:
    enum class kind : std::uint8_t { idle, page, job };
    kind what = kind::idle;    ///< idle: nothing is waited for.
    monotonic_time at{};       ///< When to send it; not before.
    std::uint64_t offset = 0;  ///< Of the page.
    std::string id;            ///< Of the job.

    poll_step() = default;
};

class poll_plan {
public:
    poll_plan();

    /// Waits for a job from now on.
    void watch(std::string id, monotonic_time now);
    /// A job is no longer waited for: it is unknown to the service, or was given up.
    void forget(const std::string& id);
    [[nodiscard]] std::size_t waiting() const noexcept { return jobs_.size(); }

    [[nodiscard]] poll_step next(const call_budget& budget) const;

    /// A page was read. Gives the watched jobs that ended, which are no longer waited for.
    std::vector<job> page_read(const job_page& page, monotonic_time now);
    /// A job was read by itself; true if it ended.
    bool job_read(const job& one, monotonic_time now);
    /// The request failed: the next one comes after a whole interval.
    void not_read(monotonic_time now);

private:
    class watched {
    public:
        job_watch watch;
        monotonic_time seen_at{};  ///< When it was last read, or the wait for it began.

        watched() = default;
    };

    bool observe(const job& one, monotonic_time now);
    void end_round(monotonic_time now);
    [[nodiscard]] monotonic_clock::duration interval(const call_budget& budget) const;

    std::map<std::string, watched, std::less<>> jobs_;
    monotonic_time asked_at_{};               ///< When the last round or the last single request ended.
    std::uint64_t offset_ = 0;                ///< Of the round's next page; 0: no round is under way.
    std::uint64_t calls_ = 0;                 ///< Of the round under way.
    std::uint64_t calls_a_round_ = 1;         ///< Of the last whole round.
    monotonic_time round_at_{};               ///< When the first page of the round under way was read.
    std::optional<std::string> missing_;      ///< A job that the last round did not show.
    monotonic_clock::duration job_interval_;  ///< For one job: grows while nothing changes.
};

}  // namespace vembed::aitbc
