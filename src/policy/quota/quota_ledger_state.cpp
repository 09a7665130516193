// The ledger as a value: taken apart, put together, merged with what others did, and freed of owners that are gone.
#include <algorithm>

#include "policy/quota/quota_ledger.hpp"

namespace vembed::policy {

ledger_state quota_ledger::snapshot() const {
    ledger_state state;
    state.minute = minute_.buckets();
    state.day = day_.buckets();
    state.reservations.reserve(reservations_.size());
    for (const auto& [name, one] : reservations_) {
        state.reservations.push_back(one);
    }
    state.next_number = next_number_;
    state.period_chunks = period_chunks_;
    state.period = period_;
    state.period_ends = period_ends_;
    state.period_length = period_length_;
    state.period_started_here = period_started_here_;
    state.refused_by = refused_by_;
    state.refused_until = refused_until_;
    state.synchronised_at = synchronised_at_;
    state.pause = pause_.state();
    state.pace = pace_.state();
    state.flight = flight_.state();
    state.calls_minute = calls_minute_.buckets();
    state.calls_hour = calls_hour_.buckets();
    state.calls.assign(calls_.begin(), calls_.end());
    return state;
}

ledger_state quota_ledger::snapshot_since(const ledger_state& then) const {
    ledger_state state = snapshot();
    state.minute = minute_.since(then.minute);
    state.day = day_.since(then.day);
    state.calls_minute = calls_minute_.since(then.calls_minute);
    state.calls_hour = calls_hour_.since(then.calls_hour);
    return state;
}

void quota_ledger::restore(const ledger_state& state) {
    minute_.assign(state.minute);
    day_.assign(state.day);
    calls_minute_.assign(state.calls_minute);
    calls_hour_.assign(state.calls_hour);
    calls_ = std::set<open_call>(state.calls.begin(), state.calls.end());
    reservations_.clear();
    for (const reservation& one : state.reservations) {
        reservations_.emplace(key(one.owner, one.number), one);
    }
    count_reservations();
    next_number_ = std::max(next_number_, state.next_number);
    period_chunks_ = state.period_chunks;
    period_ = state.period;
    period_ends_ = state.period_ends;
    period_length_ = state.period_length;
    period_started_here_ = state.period_started_here;
    refused_by_ = state.refused_by;
    refused_until_ = state.refused_until;
    synchronised_at_ = state.synchronised_at;
    pause_ = shared_pause(state.pause);
    pace_ = submission_pace(state.pace);
    flight_ = flight_limit(state.flight);
}

void quota_ledger::count_reservations() {
    open_chunks_ = 0;
    open_requests_ = 0;
    unanswered_.clear();
    for (const auto& [name, one] : reservations_) {
        open_chunks_ += one.closed ? 0 : one.chunks;
        open_requests_ += one.closed ? 0 : 1;
        if (!one.answered) {
            unanswered_.emplace(name, one.made_at);
        }
    }
}

void quota_ledger::merge(const ledger_state& other) {
    ledger_state both = snapshot();
    both.minute.insert(both.minute.end(), other.minute.begin(), other.minute.end());
    both.day.insert(both.day.end(), other.day.begin(), other.day.end());
    both.reservations.insert(both.reservations.end(), other.reservations.begin(), other.reservations.end());
    both.calls_minute.insert(both.calls_minute.end(), other.calls_minute.begin(), other.calls_minute.end());
    both.calls_hour.insert(both.calls_hour.end(), other.calls_hour.begin(), other.calls_hour.end());
    both.calls.insert(both.calls.end(), other.calls.begin(), other.calls.end());
    both.next_number = std::max(both.next_number, other.next_number);
    // The name of a period is its start, so the later name is the later period.
    if (other.period > both.period) {
        both.period = other.period;
        both.period_chunks = other.period_chunks;
        both.period_ends = other.period_ends;
        both.period_length = other.period_length;
        both.period_started_here = other.period_started_here;
    } else if (other.period == both.period) {
        both.period_chunks = std::max(both.period_chunks, other.period_chunks);
    }
    if (other.refused_until > both.refused_until) {
        both.refused_by = other.refused_by;
        both.refused_until = other.refused_until;
    }
    both.synchronised_at = std::max(both.synchronised_at, other.synchronised_at);
    both.pause = other.pause.until > both.pause.until ? other.pause : both.pause;
    both.pace = other.pace.refused_at > both.pace.refused_at ? other.pace : both.pace;
    both.flight = other.flight.refused_at > both.flight.refused_at ? other.flight : both.flight;
    restore(both);
}

void quota_ledger::drop_owner(std::uint64_t owner, monotonic_time now) {
    for (auto one = reservations_.begin(); one != reservations_.end();) {
        const auto which = one++;
        if (which->first.first != owner) {
            continue;
        }
        if (!which->second.closed) {
            close(which, which->second.chunks, 1, now);
        }
        leave_flight(which);
    }
    for (auto one = calls_.begin(); one != calls_.end();) {
        if (one->owner == owner) {
            count_call(now);
            one = calls_.erase(one);
        } else {
            ++one;
        }
    }
}

std::vector<std::uint64_t> quota_ledger::owners() const {
    std::vector<std::uint64_t> all;
    for (const auto& [name, one] : reservations_) {
        if (all.empty() || all.back() != name.first) {
            all.push_back(name.first);
        }
    }
    if (!calls_.empty()) {
        for (const open_call& one : calls_) {
            all.push_back(one.owner);
        }
        std::ranges::sort(all);
        all.erase(std::unique(all.begin(), all.end()), all.end());
    }
    return all;
}

}  // namespace vembed::policy
