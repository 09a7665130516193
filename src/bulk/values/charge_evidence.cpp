#include "bulk/values/charge_evidence.hpp"

#include <algorithm>

namespace vembed::bulk {
namespace {

// This is longer than any wait, and short enough to calculate with.
constexpr std::chrono::hours long_ago{24 * 365};

}  // namespace

void charge_evidence::adopt(const run_facts& facts) {
    baseline_ = facts.baseline;
    charged_on_acceptance_ = facts.charged_on_acceptance;
    jobs_came_to_nothing_ = facts.jobs_came_to_nothing;
}

void charge_evidence::write_to(run_facts& facts) const {
    facts.baseline = baseline_;
    facts.charged_on_acceptance = charged_on_acceptance_;
    facts.jobs_came_to_nothing = jobs_came_to_nothing_;
}

void charge_evidence::take_baseline(const policy::account_count& counted, wall_time now) {
    account_baseline& before = baseline_.emplace();
    before.chunks_consumed_period = counted.chunks;
    before.period = policy::to_period_text(counted);
    before.taken_at = now;
}

std::optional<policy::account_count> charge_evidence::baseline() const {
    if (!baseline_) {
        return std::nullopt;
    }
    return policy::from_period_text(baseline_->chunks_consumed_period, baseline_->period);
}

void charge_evidence::first_job_seen(const std::optional<policy::account_count>& counted, bool under_way,
                                     std::uint64_t charged) {
    const auto before = baseline();
    const bool comparable = before && counted && counted->period == before->period && counted->chunks >= before->chunks;
    const std::uint64_t risen = comparable ? counted->chunks - before->chunks : 0;
    charged_on_acceptance_ = charged_on_acceptance_ || (under_way && charged > 0 && risen == charged);
}

std::string charge_evidence::why_undecidable() const {
    if (!baseline_) {
        return "it was not read before the run's first submission";
    }
    if (jobs_came_to_nothing_) {
        return "a job of the run came to nothing or was given to two submissions, and its chunks may count or not";
    }
    return "";
}

// If no job showed that charges are seen at once, a charge may come as late as a job ends.
std::chrono::seconds charge_evidence::charges_made_after() const noexcept {
    return charged_on_acceptance_ ? arrival_wait_ : std::max(arrival_wait_, job_timeout_);
}

// Accepted submissions count as much as those in doubt: if the charge of one is late, the charge of another is mistaken
// for it in the account's count.
monotonic_time charge_evidence::charges_made_at() const noexcept {
    return deadline_after(std::max(last_in_doubt_, last_accepted_), charges_made_after());
}

bool charge_evidence::charges_are_made(monotonic_time now, bool jobs_in_flight,
                                       monotonic_time last_sent) const noexcept {
    return now - std::max({last_in_doubt_, last_accepted_, last_sent}) >= charges_made_after() &&
           (charged_on_acceptance_ || !jobs_in_flight);
}

std::optional<std::chrono::seconds> charge_evidence::decidable_in(monotonic_time now, bool jobs_in_flight,
                                                                  std::chrono::milliseconds intent_margin) const {
    const monotonic_time known = deadline_after(charges_made_at(), intent_margin);
    const bool waits_for_jobs = !charged_on_acceptance_ && jobs_in_flight;
    if (!why_undecidable().empty() || waits_for_jobs || known == no_deadline) {
        return std::nullopt;
    }
    return std::max(std::chrono::ceil<std::chrono::seconds>(known - now), std::chrono::seconds(0));
}

policy::reconciliation charge_evidence::weigh(std::uint64_t chunks_in_doubt, std::uint64_t charged,
                                              bool charges_are_made) const {
    policy::reconciliation seen;
    seen.before = baseline();
    seen.charged = charged;
    seen.unknown = chunks_in_doubt;
    seen.perhaps_given_back = jobs_came_to_nothing_;
    seen.charges_are_made = charges_are_made;
    seen.sole_use = sole_use_;
    return seen;
}

policy::unknown_verdict charge_evidence::judge_left(const prior_run& left, const intent_times& times,
                                                    const std::optional<policy::account_count>& counted) const {
    std::uint64_t in_doubt = 0;
    bool in_flight = false;
    monotonic_time last_sent{};
    for (const journalled_batch& one : left.batches) {
        in_flight = in_flight || one.state == batch_state::accepted;
        in_doubt += has_no_answer(one) ? one.chunks : 0;
        last_sent = std::max(last_sent, times.written_by(one));
    }
    policy::reconciliation seen =
        weigh(in_doubt, left.chunks_charged, charges_are_made(times.now, in_flight, last_sent));
    seen.now = counted;
    return policy::judge_unknown(seen);
}

monotonic_time intent_times::written_by(const journalled_batch& left) const {
    const std::chrono::milliseconds since = wall_now - left.intended_at - margin;
    return now - std::clamp<std::chrono::milliseconds>(since, std::chrono::milliseconds(0), long_ago);
}

}  // namespace vembed::bulk
