#pragma once
/// Finds out what became of a run whose response was lost (wire contract, section 2: there is no idempotency key). Only
/// exactly one task that fits decides; everything else stays in doubt.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <vembed/core/time.hpp>
#include <vembed/cyberun/types.hpp>

namespace vembed::cyberun {

/// A run without a response.
class lost_run {
public:
    std::string workflow_id;  ///< Empty: not known; only of the others in the evidence.
    wall_time sent_at{};      ///< When the request began to be sent.
    wall_time lost_at{};      ///< When its response was given up; now if it may still come.

    lost_run() = default;
};

/// What is known when it is looked for.
class run_evidence {
public:
    std::vector<task> tasks;
    /// The list was read to its end. Its order is not documented, so that a part of it decides nothing.
    bool complete = false;
    std::set<std::string> known;   ///< Tasks whose run was answered or decided.
    std::vector<lost_run> others;  ///< Further runs without a response, which may have made the same task.

    run_evidence() = default;
};

class run_verdict {
public:
    bool found = false;            ///< `ids` has the run's task, and nothing else.
    std::vector<std::string> ids;  ///< The tasks that fit, at most 20.
    std::string reason;            ///< A sentence for people, if nothing was found.

    run_verdict() = default;
};

run_verdict reconcile_run(const lost_run& lost, const run_evidence& seen);

}  // namespace vembed::cyberun
