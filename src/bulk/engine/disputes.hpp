#pragma once
/// Handles one job id given to two submissions: the job's receipt shows which of them it is about.

#include <string>
#include <vector>

#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

/// What is known of the rows of a job that is done.
class stored_rows {
public:
    std::vector<std::uint64_t> indices;
    std::uint64_t chunks = 0;          ///< The chunks that their job was charged.
    std::vector<input_digests> texts;  ///< Empty if the sink does not keep them.

    stored_rows() = default;
};

/// If a submission got the id of another batch's job in response, it is in doubt. The other one is in doubt too until
/// its receipt shows whose job it is.
class dispute_resolver {
public:
    explicit dispute_resolver(run_state* run) : run_(run) {}

    /// The response to the batch had the id of another batch's job.
    asio::awaitable<void> dispute(batch_task* task, std::string job_id);
    /// If the job of a batch is not known to be its own, the batch is in doubt.
    asio::awaitable<void> doubt(batch_task* task);
    /// The batch's rows are written. Its job's id may have come a second time meanwhile.
    asio::awaitable<void> note_stored(batch* item, bool proved);
    /// Settles ids that an earlier process took for two batches.
    asio::awaitable<void> settle_prior();

private:
    void withdraw_left(const std::string& job_id);
    void report_in_doubt(std::uint64_t number, const std::vector<std::uint64_t>& rows, const error& why);
    asio::awaitable<void> settle(const std::string* job_id, job_owner* owner);
    asio::awaitable<bool> prove_inputs(const std::string* job_id, const stored_rows* rows);
    result<void> look_up(const job_owner& owner, stored_rows* found);
    asio::awaitable<void> withdraw(const std::string* job_id, job_owner* owner, const stored_rows* rows);
    asio::awaitable<void> park(batch_task* task, error why, std::vector<journal_change> changes);

    run_state* run_;
};

}  // namespace vembed::bulk
