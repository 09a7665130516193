#pragma once
/// What a bulk run does about a failure: pure tables.

#include <cstdint>

#include <vembed/core/failure.hpp>

namespace vembed::bulk {

/// About a batch that was not accepted.
enum class submit_reaction : std::uint8_t {
    park,        ///< It may exist: the unknown policy decides.
    split,       ///< It is too large, or holds something the service refuses: halve it; a single row fails.
    narrow,      ///< A firewall refuses something in it: halve it as far as the budget for that lasts; then rows fail.
    stop_quota,  ///< The day's or the period's quota is used up: end the run, to be continued.
    wait_out,    ///< The service cannot be reached and has seen nothing of it: it goes when the service is back.
    stop_busy,   ///< The service keeps refusing: end the run, to be continued.
    withdrawn,   ///< The run itself took it back.
    give_up,     ///< Nothing of this run can go on.
};

submit_reaction react_to_submit(const failure& f) noexcept;

/// About a job that was accepted.
enum class job_reaction : std::uint8_t {
    try_again,  ///< The job is as it was; ask for it again later.
    fail_rows,  ///< Its failed rows fail, the others are submitted anew.
    resubmit,   ///< It came to nothing and cost nothing: once more.
    withhold,   ///< Its rows cannot be trusted.
    lost,       ///< The service no longer knows it: the unknown policy decides.
    leave,      ///< It stays in flight; a later run takes it up.
    set_aside,  ///< The same, for a fault of the service's that asking again in this run does not mend.
    give_up,
};

job_reaction react_to_job(const failure& f) noexcept;

}  // namespace vembed::bulk
