#include "aitbc/wire/poll_plan.hpp"

#include <algorithm>
#include <utility>

#include "aitbc/wire/assumptions.hpp"

namespace vembed::aitbc {

job_watch::change job_watch::observe(const job& seen) {
    if (is_terminal(state_)) {
        return is_terminal(seen.state) && seen.state != state_ ? change::late_result : change::none;
    }
    const bool same = seen.state == state_ && seen.state_text == word_;
    state_ = seen.state;
    word_ = seen.state_text;
    return is_terminal(state_) ? change::ended : same ? change::none : change::moved;
}

poll_plan::poll_plan() : job_interval_(assumed::job_interval_least) {}

void poll_plan::watch(std::string id, monotonic_time now) {
    watched made;
    made.seen_at = now;
    const bool is_new = jobs_.emplace(std::move(id), std::move(made)).second;
    if (is_new && jobs_.size() <= 2) {
        asked_at_ = std::max(asked_at_, now);  // A job that was made just now is not asked for at once.
        job_interval_ = assumed::job_interval_least;
    }
}

void poll_plan::forget(const std::string& id) {
    jobs_.erase(id);
    if (missing_ == id) {
        missing_.reset();
    }
}

// A round costs as many calls as the last one did. What is left of the hour is spread over the hour.
monotonic_clock::duration poll_plan::interval(const call_budget& budget) const {
    const std::uint64_t kept = std::min(budget.submissions_to_come, budget.left);
    const std::uint64_t free = std::max<std::uint64_t>(budget.left - kept, 1);
    const monotonic_clock::duration spread = monotonic_clock::duration(std::chrono::hours(1)) /
                                             static_cast<std::int64_t>(std::min<std::uint64_t>(free, 1'000'000)) *
                                             static_cast<std::int64_t>(calls_a_round_);
    const bool is_one = jobs_.size() == 1;
    const monotonic_clock::duration least = is_one ? job_interval_ : assumed::list_interval_least;
    return std::clamp<monotonic_clock::duration>(
        spread, least, std::max<monotonic_clock::duration>(least, assumed::list_interval_most));
}

poll_step poll_plan::next(const call_budget& budget) const {
    poll_step step;
    if (jobs_.empty()) {
        return step;
    }
    step.at = offset_ > 0 || missing_ ? asked_at_ : deadline_after(asked_at_, interval(budget));
    if (missing_ || (jobs_.size() == 1 && offset_ == 0)) {
        step.what = poll_step::kind::job;
        step.id = missing_ ? *missing_ : jobs_.begin()->first;
    } else {
        step.what = poll_step::kind::page;
        step.offset = offset_;
    }
    return step;
}

// True if it is a watched job that ended now.
bool poll_plan::observe(const job& one, monotonic_time now) {
    const auto found = jobs_.find(one.id);
    if (found == jobs_.end()) {
        return false;
    }
    found->second.seen_at = now;
    const job_watch::change change = found->second.watch.observe(one);
    if (change != job_watch::change::none) {
        job_interval_ = assumed::job_interval_least;
    }
    if (change == job_watch::change::ended) {
        jobs_.erase(found);
        return true;
    }
    return false;
}

void poll_plan::end_round(monotonic_time now) {
    calls_a_round_ = std::max<std::uint64_t>(calls_, 1);
    calls_ = 0;
    offset_ = 0;
    asked_at_ = now;
}

std::vector<job> poll_plan::page_read(const job_page& page, monotonic_time now) {
    std::vector<job> ended;
    round_at_ = calls_ == 0 ? now : round_at_;
    for (const job& one : page.jobs) {
        if (observe(one, now)) {
            ended.push_back(one);
        }
    }
    ++calls_;
    const bool all_seen =
        std::ranges::all_of(jobs_, [this](const auto& one) { return one.second.seen_at >= round_at_; });
    const bool goes_on = page.more && !all_seen && !page.jobs.empty() && calls_ < assumed::pages_max;
    if (goes_on) {
        offset_ += page.jobs.size() + page.unreadable;
        asked_at_ = now;
        return ended;
    }
    end_round(now);
    // A job that no page shows is asked for by itself, the one that was not seen for longest first.
    const auto oldest = std::ranges::min_element(jobs_, {}, [](const auto& one) { return one.second.seen_at; });
    if (oldest != jobs_.end() && oldest->second.seen_at + assumed::job_interval_most <= now) {
        missing_ = oldest->first;
    }
    return ended;
}

bool poll_plan::job_read(const job& one, monotonic_time now) {
    missing_.reset();
    asked_at_ = now;
    const monotonic_clock::duration grown =
        std::min<monotonic_clock::duration>(job_interval_ + job_interval_ / 2, assumed::job_interval_most);
    job_interval_ = grown;
    return observe(one, now);
}

void poll_plan::not_read(monotonic_time now) {
    missing_.reset();
    end_round(now);
}

}  // namespace vembed::aitbc
