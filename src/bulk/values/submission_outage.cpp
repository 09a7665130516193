#include "bulk/values/submission_outage.hpp"

#include "policy/retry/backoff.hpp"

namespace vembed::bulk {
namespace {

// About ten minutes: long enough for a service that is restarted, short enough to tell the user of one that is not.
policy::backoff_options trial_pauses() {
    policy::backoff_options options;
    options.delay_ms_first = std::chrono::seconds(15);
    options.delay_ms_max = std::chrono::minutes(5);
    options.tries_max = 7;
    return options;
}

}  // namespace

outage_verdict submission_outage::unanswered(submission_kind kind, monotonic_time now,
                                             const std::function<std::uint64_t()>& random) {
    const bool was_under_way = under_way();
    ++in_a_row_;
    if (!under_way() || (was_under_way && kind == submission_kind::regular)) {
        return outage_verdict::go_on;  // A regular submission was under way already when the outage was noticed.
    }
    trials_in_vain_ += kind == submission_kind::trial ? 1 : 0;
    const auto pause = policy::backoff_delay(trial_pauses(), trials_in_vain_ + 1, random());
    if (!pause) {
        return outage_verdict::give_up;
    }
    next_trial_at_ = deadline_after(now, *pause);
    return outage_verdict::pause;
}

bool submission_outage::answered() noexcept {
    const bool was_silent = in_a_row_ > 0;
    in_a_row_ = 0;
    trials_in_vain_ = was_silent ? 0 : trials_in_vain_;
    return was_silent;
}

}  // namespace vembed::bulk
