#pragma once
/// Decides what a bulk run does about an error: pure tables.

#include <cstdint>

#include <vembed/core/error.hpp>

namespace vembed::bulk {

/// What follows if a batch was not accepted.
enum class submit_reaction : std::uint8_t {
    park,        ///< A job may exist: the unknown policy decides.
    split,       ///< It is too large, or holds something that the service refuses: halve it; a single row fails.
    narrow,      ///< A firewall refuses something in it: halve it as far as the budget for that lasts; then rows fail.
    stop_quota,  ///< The day's or the period's quota is used up: end the run, to be continued.
    wait_out,    ///< The service cannot be reached and has seen nothing of it: the batch goes when the service is back.
    stop_busy,   ///< The service keeps refusing: end the run, to be continued.
    withdrawn,   ///< The run itself withdrew the batch.
    give_up,     ///< Nothing of this run can go on.
};

submit_reaction react_to_submit(const error& f) noexcept;

/// What follows if an accepted job brought no rows.
enum class job_reaction : std::uint8_t {
    try_again,  ///< The job is as it was; ask for it again later.
    fail_rows,  ///< Its failed rows fail, the others are submitted anew.
    resubmit,   ///< The job gave nothing and cost nothing: submit it once more.
    withhold,   ///< Its rows cannot be trusted.
    lost,       ///< The service no longer knows the job: the unknown policy decides.
    leave,      ///< The job stays in flight; a later run takes it up.
    set_aside,  ///< Like `leave`, for a fault of the service that asking again in this run does not mend.
    give_up,
};

job_reaction react_to_job(const error& f) noexcept;

}  // namespace vembed::bulk
