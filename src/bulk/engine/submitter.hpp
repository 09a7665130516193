#pragma once
/// Sees a batch to the point at which it is a job: it is made to fit, recorded and submitted. Also handles refusals.

#include <optional>

#include "bulk/engine/disputes.hpp"
#include "bulk/engine/in_doubt.hpp"
#include "bulk/engine/intent.hpp"
#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

class submitter {
public:
    submitter(run_state* run, in_doubt_resolver* in_doubt, dispute_resolver* disputes)
        : run_(run), in_doubt_(in_doubt), disputes_(disputes) {}

    /// Returns `go_on` if the batch is in flight as a job now.
    asio::awaitable<step> submit(batch_task* task);

private:
    /// A place in the line of those who try a service that does not respond, one at a time.
    using trial = std::optional<runtime::wait_queue::place>;

    asio::awaitable<step> await_trial(trial* own);
    asio::awaitable<step> probe_service();
    void note_silence(submission_kind kind, const error& why);
    asio::awaitable<step> await_suspects();
    asio::awaitable<step> fit(batch_task* task);
    void warn_of_part_of_chunk(std::uint64_t rows);
    void note_outcome(const batch& item, std::uint64_t chunks, const result<submitted_job>& submitted,
                      submission_kind kind);
    asio::awaitable<step> accepted(batch_task* task, submitted_job job);
    asio::awaitable<void> learn_from_first(const batch* item);
    asio::awaitable<void> refused(batch_task* task, error why);
    asio::awaitable<void> wait_for_quota(batch_task* task, error why);
    asio::awaitable<void> halve(batch_task* task, error why);

    run_state* run_;
    in_doubt_resolver* in_doubt_;
    dispute_resolver* disputes_;
};

}  // namespace vembed::bulk
