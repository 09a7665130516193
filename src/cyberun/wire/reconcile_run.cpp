#include "cyberun/wire/reconcile_run.hpp"

#include <algorithm>
#include <optional>

#include "cyberun/wire/assumptions.hpp"
#include "text/iso_time.hpp"

namespace vembed::cyberun {
namespace {

constexpr std::size_t named_max = 20;

bool may_be_made_by(const lost_run& lost, const task& one) {
    if (!one.workflow_id.empty() && one.workflow_id != lost.workflow_id) {
        return false;
    }
    const auto made = one.created_at ? text::parse_loose_iso_time(*one.created_at) : std::nullopt;
    // Whole seconds are enough: a service may write no fraction.
    return !made || (*made >= lost.sent_at - assumed::clock_difference_max &&
                     *made <= lost.lost_at + assumed::clock_difference_max);
}

bool is_certain(const task& one) {
    return !one.workflow_id.empty() && one.created_at && text::parse_loose_iso_time(*one.created_at);
}

// Whether a task may be that of either run.
bool overlap(const lost_run& a, const lost_run& b) {
    const bool same = a.workflow_id.empty() || b.workflow_id.empty() || a.workflow_id == b.workflow_id;
    return same && a.sent_at <= b.lost_at + 2 * assumed::clock_difference_max &&
           b.sent_at <= a.lost_at + 2 * assumed::clock_difference_max;
}

}  // namespace

run_verdict reconcile_run(const lost_run& lost, const run_evidence& seen) {
    run_verdict made;
    bool all_certain = true;
    for (const task& one : seen.tasks) {
        if (seen.known.contains(one.id) || !may_be_made_by(lost, one) ||
            std::ranges::find(made.ids, one.id) != made.ids.end()) {
            continue;
        }
        all_certain = all_certain && !one.id.empty() && is_certain(one);
        if (made.ids.size() < named_max) {
            made.ids.push_back(one.id);
        }
    }
    const bool is_shared =
        std::ranges::any_of(seen.others, [&lost](const lost_run& other) { return overlap(lost, other); });
    if (!seen.complete) {
        made.reason = "the list of tasks is too long to be read to its end";
    } else if (made.ids.empty()) {
        made.reason = "no task in the list fits; it may still appear";
    } else if (made.ids.size() > 1) {
        made.reason = "several tasks fit";
    } else if (!all_certain) {
        made.reason = "the list does not tell the workflow or the time of the task that may be it";
    } else if (is_shared) {
        made.reason = "another run whose response is not known may have made the task that fits";
    } else {
        made.found = true;
    }
    return made;
}

}  // namespace vembed::cyberun
