#pragma once
/// Submissions in doubt are kept apart, judged by the account's own count, and sent again if that is allowed.

#include <optional>

#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

class in_doubt_resolver {
public:
    explicit in_doubt_resolver(run_state* run) : run_(run) {}

    /// Takes a batch as in doubt. It was sent without a response, so a job may exist and be charged. Or it was accepted
    /// and the service no longer knows the job: then the journal keeps it as accepted, and a later run asks for it once
    /// more.
    asio::awaitable<void> park(batch_task* task, error why);

    /// Judges the batches in doubt by the account's count. Nothing else may be under way.
    asio::awaitable<void> decide();
    /// The next batch in doubt to submit again; nothing if there is none, or if the run ends.
    asio::awaitable<std::optional<batch>> next();

private:
    asio::awaitable<void> await_decision();
    asio::awaitable<policy::unknown_verdict> judge();

    run_state* run_;
    policy::unknown_verdict verdict_ = policy::unknown_verdict::undecided;
};

}  // namespace vembed::bulk
