#pragma once
/// Submissions in doubt: kept apart, judged by the account's own count, sent again if that is allowed.

#include <optional>

#include "bulk/engine/run_state.hpp"

namespace vembed::bulk {

class in_doubt_resolver {
public:
    explicit in_doubt_resolver(run_state* run) : run_(run) {}

    /// Sent and not answered: the job may exist and be charged, or not. Or accepted, and gone from the service since:
    /// then it stays what the journal has it for, and a later run asks for it once more.
    asio::awaitable<void> park(batch_task* task, failure why);

    /// Judges the batches in doubt by the account's count. Nothing else may be under way.
    asio::awaitable<void> decide();
    /// The next of them to submit again; nothing once there is none, or the run ends.
    asio::awaitable<std::optional<batch>> next();

private:
    asio::awaitable<void> await_decision();
    asio::awaitable<policy::unknown_verdict> judge();

    run_state* run_;
    policy::unknown_verdict verdict_ = policy::unknown_verdict::undecided;
};

}  // namespace vembed::bulk
