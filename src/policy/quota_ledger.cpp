#include "policy/quota_ledger.hpp"

#include <algorithm>

namespace vembed::policy {
namespace {

constexpr monotonic_clock::duration minute_length = std::chrono::seconds(60);
constexpr monotonic_clock::duration day_length = std::chrono::hours(24);

bool exceeds(std::uint64_t used, std::uint64_t wanted, const std::optional<std::uint64_t>& limit) noexcept {
    return limit && (used >= *limit || wanted > *limit - used);
}

// Counts come from the service too: an absurd one must fill a window, not overflow its sum and so empty it.
constexpr std::uint64_t chunks_believed_max = std::uint64_t{1} << 40;

admission_decision held(quota_bound bound, std::optional<monotonic_time> retry_at) {
    admission_decision decision;
    decision.bound = bound;
    decision.retry_at = retry_at;
    return decision;
}

}  // namespace

std::string_view to_string(quota_bound bound) noexcept {
    switch (bound) {
        case quota_bound::none: return "";
        case quota_bound::chunks_per_minute: return "chunks a minute";
        case quota_bound::requests_per_minute: return "requests a minute";
        case quota_bound::chunks_per_day: return "day quota";
        case quota_bound::chunks_per_period: return "period quota";
        case quota_bound::jobs_in_flight: return "jobs in flight";
    }
    return "invalid";
}

void quota_ledger::window::add(monotonic_time at, std::uint64_t chunks_added, std::uint64_t requests_added) {
    closed_entry added;
    added.at = at;
    added.chunks = chunks_added;
    added.requests = requests_added;
    log.push_back(added);
    chunks += chunks_added;
    requests += requests_added;
}

void quota_ledger::window::expire(monotonic_time now, monotonic_clock::duration length) {
    while (!log.empty() && log.front().at + length <= now) {
        chunks -= log.front().chunks;
        requests -= log.front().requests;
        log.pop_front();
    }
}

// When enough of the oldest entries will have left; nothing where even all of them are not enough.
std::optional<monotonic_time> quota_ledger::window::room_at(std::uint64_t chunks_over, std::uint64_t requests_over,
                                                            monotonic_clock::duration length) const {
    std::uint64_t chunks_freed = 0;
    std::uint64_t requests_freed = 0;
    for (const closed_entry& oldest : log) {
        chunks_freed += oldest.chunks;
        requests_freed += oldest.requests;
        if (chunks_freed >= chunks_over && requests_freed >= requests_over) {
            return oldest.at + length;
        }
    }
    return std::nullopt;
}

void quota_ledger::expire(monotonic_time now) {
    minute_.expire(now, minute_length);
    day_.expire(now, day_length);
}

// The day's and the period's quota refuse: nobody waits hours in a queue. Only where the jobs whose cost is not settled
// yet stand in the way is it worth waiting for them, because a refused or overestimated one gives something back.
admission_decision quota_ledger::check_totals(std::uint64_t chunks) const {
    if (exceeds(period_chunks_, chunks, limits_.chunks_per_period)) {
        return held(quota_bound::chunks_per_period, std::nullopt);
    }
    if (exceeds(day_.chunks, chunks, limits_.chunks_per_day)) {
        const std::uint64_t limit = *limits_.chunks_per_day;
        const std::uint64_t over = day_.chunks + std::min(chunks, limit) - limit;
        return held(quota_bound::chunks_per_day, chunks > limit ? std::nullopt : day_.room_at(over, 0, day_length));
    }
    if (exceeds(period_chunks_ + open_chunks_, chunks, limits_.chunks_per_period)) {
        return held(quota_bound::chunks_per_period, no_deadline);
    }
    if (exceeds(day_.chunks + open_chunks_, chunks, limits_.chunks_per_day)) {
        return held(quota_bound::chunks_per_day, no_deadline);
    }
    return {};
}

admission_decision quota_ledger::check_in_flight() const {
    const std::optional<std::uint64_t> cap = in_flight_cap();
    if (cap && in_flight_ >= *cap) {
        return held(quota_bound::jobs_in_flight, *cap == 0 ? std::nullopt : std::optional(no_deadline));
    }
    return {};
}

admission_decision quota_ledger::check_minute(std::uint64_t chunks) const {
    const std::uint64_t used = minute_.chunks + open_chunks_;
    const std::uint64_t wanted = limits_.chunks_per_minute ? std::min(chunks, *limits_.chunks_per_minute) : chunks;
    if (limits_.chunks_per_minute == 0) {
        return held(quota_bound::chunks_per_minute, std::nullopt);
    }
    if (exceeds(used, wanted, limits_.chunks_per_minute)) {
        const std::uint64_t over = used + wanted - *limits_.chunks_per_minute;
        return held(quota_bound::chunks_per_minute, minute_.room_at(over, 0, minute_length).value_or(no_deadline));
    }
    if (limits_.requests_per_minute == 0) {
        return held(quota_bound::requests_per_minute, std::nullopt);
    }
    const std::uint64_t requests = minute_.requests + open_requests_;
    if (exceeds(requests, 1, limits_.requests_per_minute)) {
        const std::uint64_t over = requests + 1 - *limits_.requests_per_minute;
        return held(quota_bound::requests_per_minute, minute_.room_at(0, over, minute_length).value_or(no_deadline));
    }
    return {};
}

admission_decision quota_ledger::reserve(monotonic_time now, std::uint64_t chunks) {
    expire(now);
    chunks = std::min(chunks, chunks_believed_max);
    admission_decision decision = check_totals(chunks);
    if (decision.bound == quota_bound::none) {
        decision = check_in_flight();
    }
    if (decision.bound == quota_bound::none) {
        decision = check_minute(chunks);
    }
    if (decision.bound != quota_bound::none) {
        return decision;
    }
    const std::uint64_t number = next_reservation_++;
    entry& made = open_[number];
    made.chunks = chunks;
    open_chunks_ += chunks;
    ++open_requests_;
    ++in_flight_;
    decision.reservation = number;
    return decision;
}

// The request's moment at the service is past: from now on it counts by the clock.
void quota_ledger::close(std::uint64_t reservation, std::uint64_t chunks, std::uint64_t requests, monotonic_time now) {
    const auto found = open_.find(reservation);
    if (found == open_.end() || found->second.closed) {
        return;
    }
    open_chunks_ -= found->second.chunks;
    --open_requests_;
    found->second.closed = true;
    expire(now);
    if (requests > 0) {
        minute_.add(now, chunks, requests);
    }
    if (chunks > 0) {
        day_.add(now, chunks, requests);
        period_chunks_ += chunks;
    }
}

void quota_ledger::settle(std::uint64_t reservation, std::uint64_t chunks, monotonic_time now) {
    close(reservation, std::min(chunks, chunks_believed_max), 1, now);
}

void quota_ledger::release(std::uint64_t reservation, monotonic_time now, bool request_sent) {
    close(reservation, 0, request_sent ? 1 : 0, now);
    leave_flight(reservation);
}

void quota_ledger::hold(std::uint64_t reservation, monotonic_time now) {
    const auto found = open_.find(reservation);
    if (found != open_.end()) {
        close(reservation, found->second.chunks, 1, now);
        leave_flight(reservation);
    }
}

bool quota_ledger::leave_flight(std::uint64_t reservation) {
    const auto found = open_.find(reservation);
    if (found == open_.end() || !found->second.closed) {
        return false;
    }
    --in_flight_;
    open_.erase(found);
    return true;
}

void quota_ledger::job_ended(std::uint64_t reservation) {
    // Only jobs that the service bore to their end speak for a larger cap; refused ones do not.
    if (leave_flight(reservation) && learned_cap_ && ++ended_since_refusal_ >= *learned_cap_) {
        // Additive increase: one more each time as many jobs have ended as the cap allows at once.
        ended_since_refusal_ = 0;
        ++*learned_cap_;
    }
}

void quota_ledger::inflight_refused() {
    // The refused job is still counted; what remains is what the service bore.
    const std::uint64_t borne = in_flight_ > 0 ? in_flight_ - 1 : 0;
    const std::uint64_t lowered = std::max<std::uint64_t>(1, std::min(borne, learned_cap_.value_or(borne)));
    learned_cap_ = lowered;
    ended_since_refusal_ = 0;
}

void quota_ledger::resync(const quota_limits& limits, std::optional<std::uint64_t> chunks_consumed_period,
                          std::string period) {
    limits_ = limits;
    if (chunks_consumed_period) {
        const std::uint64_t consumed = std::min(*chunks_consumed_period, chunks_believed_max);
        period_chunks_ = period == period_ ? std::max(period_chunks_, consumed) : consumed;
        period_ = std::move(period);
    }
}

std::optional<std::uint64_t> quota_ledger::in_flight_cap() const noexcept {
    if (limits_.jobs_in_flight && learned_cap_) {
        return std::min(*limits_.jobs_in_flight, *learned_cap_);
    }
    return limits_.jobs_in_flight ? limits_.jobs_in_flight : learned_cap_;
}

std::uint64_t quota_ledger::chunks_in_minute(monotonic_time now) {
    expire(now);
    return minute_.chunks + open_chunks_;
}

}  // namespace vembed::policy
