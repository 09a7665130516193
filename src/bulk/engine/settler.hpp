#pragma once
/// Sees a job to the point at which its rows are stored or it has failed.

#include <optional>
#include <utility>
#include <vector>

#include "bulk/engine/disputes.hpp"
#include "bulk/engine/in_doubt.hpp"
#include "bulk/engine/run_state.hpp"
#include "bulk/values/job_patience.hpp"

namespace vembed::bulk {

/// Counts a job in a counter for as long as this lives.
class counted_job {
public:
    explicit counted_job(std::uint64_t& in) : in_(&in) { ++*in_; }
    ~counted_job() { leave(); }
    counted_job(const counted_job&) = delete;
    counted_job& operator=(const counted_job&) = delete;
    void leave() noexcept {
        if (in_ != nullptr) {
            --*std::exchange(in_, nullptr);
        }
    }

private:
    std::uint64_t* in_;
};

/// What the last look at a job showed, and what follows if it brought no rows.
class job_looks {
public:
    std::vector<offline_check> checks;
    verify_level level = verify_level::none;  ///< The level of the last look.
    look_stage stage = look_stage::settling;  ///< The stage that the last look reached.
    job_reaction reaction = job_reaction::leave;
    std::optional<counted_job> settled;  ///< Set if the job is being fetched or stored.
    std::optional<counted_job> suspect;  ///< Set while the job is asked for again after an unexplained look.

    job_looks() = default;
};

class settler {
public:
    settler(run_state* run, in_doubt_resolver* in_doubt, dispute_resolver* disputes)
        : run_(run), in_doubt_(in_doubt), disputes_(disputes) {}

    /// Opens slots for outputs that are fetched and stored. Without them a job keeps its slot in flight until it is
    /// stored.
    void open_slots(std::uint64_t count) { storing_.emplace(run_->parts.executor, run_->parts.env, count); }

    /// Sees the job of the batch to its end.
    asio::awaitable<void> settle(batch_task* task);

private:
    asio::awaitable<result<fetched_job>> fetch_patiently(batch_task* task, job_looks* looks);
    asio::awaitable<result<fetched_job>> look_at(batch_task* task, job_looks* looks);
    [[nodiscard]] job_standing standing_of(const batch& item) const;
    [[nodiscard]] next_look judge(const error& why, job_looks* looks, job_patience* patience);
    asio::awaitable<void> make_way(batch_task* task);
    void end_watch(const batch& item);

    asio::awaitable<void> store(batch_task* task, fetched_job fetched, bool proved);
    result<void> write(const batch& item, const fetched_job& fetched);
    [[nodiscard]] std::vector<journal_change> completion_of(batch* item, std::uint64_t chunks_shown);

    asio::awaitable<void> handle_job_failure(batch_task* task, error why, job_reaction reaction);
    asio::awaitable<void> leave(const batch* item, error why, job_reaction reaction);
    asio::awaitable<void> refunded(batch_task* task, error why);
    asio::awaitable<void> narrow(batch_task* task, error why);
    asio::awaitable<step> fail_job(const batch* item, std::vector<failed_row> rows, std::uint64_t chunks_charged);
    asio::awaitable<void> fail_whole(const batch* item, error why, std::uint64_t chunks_charged);

    run_state* run_;
    in_doubt_resolver* in_doubt_;
    dispute_resolver* disputes_;
    std::optional<runtime::semaphore> storing_;
    std::vector<std::vector<float>> spare_values_;
};

}  // namespace vembed::bulk
