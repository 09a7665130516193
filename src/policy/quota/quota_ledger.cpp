#include "policy/quota/quota_ledger.hpp"

#include <algorithm>
#include <tuple>

namespace vembed::policy {
namespace {

using std::chrono::seconds;

// Counts come from the service too: an absurd one must fill a window and not overflow the window's sum.
constexpr std::uint64_t chunks_believed_max = std::uint64_t{1} << 40;
// Requests that may be sent in the first second after a pause if no limit is known.
constexpr double share_unknown = 10;
// A response to a submission is late after that time.
constexpr seconds answer_expected{1};
// The service is asked again after that time if it says that a quota is used up and our own count cannot explain it.
constexpr std::chrono::hours refusal_believed{1};

bool exceeds(std::uint64_t used, std::uint64_t wanted, const std::optional<std::uint64_t>& limit) noexcept {
    return limit && (used >= *limit || wanted > *limit - used);
}

admission_decision held(quota_bound bound, std::optional<monotonic_time> retry_at) {
    admission_decision decision;
    decision.bound = bound;
    decision.retry_at = retry_at;
    return decision;
}

quota_use use_of(std::uint64_t used, std::optional<std::uint64_t> limit) {
    quota_use use;
    use.used = used;
    use.limit = limit;
    return use;
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
        case quota_bound::pace: return "rate the service bears";
        case quota_bound::pause: return "pause asked for by the service";
        case quota_bound::calls_per_minute: return "calls a minute";
        case quota_bound::calls_per_hour: return "calls an hour";
    }
    return "invalid";
}

void quota_ledger::expire(monotonic_time now) {
    minute_.expire(now);
    day_.expire(now);
    calls_minute_.expire(now);
    calls_hour_.expire(now);
    start_periods(now);
    if (now >= refused_until_) {
        refused_by_ = quota_bound::none;
    }
}

void quota_ledger::start_periods(monotonic_time now) {
    if (!period_ends_ || now < *period_ends_) {
        return;
    }
    period_chunks_ = 0;
    period_started_here_ = true;
    if (period_length_ > monotonic_clock::duration::zero()) {
        const auto further = (now - *period_ends_) / period_length_ + 1;
        period_ends_ = *period_ends_ + period_length_ * further;
    } else {
        period_ends_ = std::nullopt;
    }
}

// Waiting for the day's or the period's quota would take hours, so that the submission is refused. Waiting makes sense
// only if jobs with an unsettled cost use up the rest, because a refused or overestimated one gives some of it back.
admission_decision quota_ledger::check_totals(monotonic_time now, std::uint64_t chunks) const {
    if (exceeds(period_chunks_, chunks, limits_.chunks_per_period)) {
        const bool ever = chunks <= *limits_.chunks_per_period;
        return held(quota_bound::chunks_per_period, ever ? period_ends_ : std::nullopt);
    }
    if (exceeds(day_.chunks(), chunks, limits_.chunks_per_day)) {
        const std::uint64_t limit = *limits_.chunks_per_day;
        const std::uint64_t over = day_.chunks() + std::min(chunks, limit) - limit;
        return held(quota_bound::chunks_per_day, chunks > limit ? std::nullopt : day_.freed_at(over, 0));
    }
    if (now < refused_until_ && refused_by_ != quota_bound::none) {
        return held(refused_by_, refused_until_);
    }
    if (exceeds(period_chunks_ + open_chunks_, chunks, limits_.chunks_per_period)) {
        return held(quota_bound::chunks_per_period, no_deadline);
    }
    if (exceeds(day_.chunks() + open_chunks_, chunks, limits_.chunks_per_day)) {
        return held(quota_bound::chunks_per_day, no_deadline);
    }
    return {};
}

// A response later than 1 s no longer blocks new submissions: the hanging request is counted as accepted.
std::optional<monotonic_time> quota_ledger::wait_for_flight(monotonic_time now) const {
    const std::optional<monotonic_time> wait = flight_.wait(now, borne(), unanswered_.size());
    if (wait != no_deadline) {
        return wait;
    }
    std::uint64_t late = 0;
    monotonic_time next_late = no_deadline;
    for (const auto& [name, made_at] : unanswered_) {
        const monotonic_time due = deadline_after(made_at, answer_expected);
        late += due <= now ? 1 : 0;
        next_late = due > now ? std::min(next_late, due) : next_late;
    }
    const std::optional<monotonic_time> then = flight_.wait(now, borne() + late, unanswered_.size() - late);
    return then == no_deadline ? std::optional(next_late) : then;
}

admission_decision quota_ledger::check_in_flight(monotonic_time now) const {
    if (limits_.jobs_in_flight && jobs_in_flight() >= *limits_.jobs_in_flight) {
        return held(quota_bound::jobs_in_flight,
                    *limits_.jobs_in_flight == 0 ? std::nullopt : std::optional(no_deadline));
    }
    const std::optional<monotonic_time> wait = wait_for_flight(now);
    return wait ? held(quota_bound::jobs_in_flight, wait) : admission_decision();
}

admission_decision quota_ledger::check_minute(std::uint64_t chunks) const {
    if (limits_.chunks_per_minute == 0) {
        return held(quota_bound::chunks_per_minute, std::nullopt);
    }
    const std::uint64_t used = minute_.chunks() + open_chunks_;
    const std::uint64_t wanted = limits_.chunks_per_minute ? std::min(chunks, *limits_.chunks_per_minute) : chunks;
    if (exceeds(used, wanted, limits_.chunks_per_minute)) {
        const std::uint64_t over = used + wanted - *limits_.chunks_per_minute;
        return held(quota_bound::chunks_per_minute, minute_.freed_at(over, 0).value_or(no_deadline));
    }
    if (limits_.requests_per_minute == 0) {
        return held(quota_bound::requests_per_minute, std::nullopt);
    }
    const std::uint64_t requests = minute_.requests() + open_requests_;
    if (exceeds(requests, 1, limits_.requests_per_minute)) {
        const std::uint64_t over = requests + 1 - *limits_.requests_per_minute;
        return held(quota_bound::requests_per_minute, minute_.freed_at(0, over).value_or(no_deadline));
    }
    return {};
}

admission_decision quota_ledger::check_pace(monotonic_time now) const {
    const monotonic_time next = pace_.next(now);
    return next > now ? held(quota_bound::pace, next) : admission_decision();
}

// A submission's reservation is a call too while it is open.
admission_decision quota_ledger::check_calls() const {
    const std::tuple<quota_bound, std::optional<std::uint64_t>, const usage_window*> windows[] = {
        {quota_bound::calls_per_minute, limits_.calls_per_minute, &calls_minute_},
        {quota_bound::calls_per_hour, limits_.calls_per_hour, &calls_hour_}};
    admission_decision latest;
    for (const auto& [bound, limit, window] : windows) {
        const std::uint64_t used = window->requests() + open_calls();
        if (limit == 0) {
            return held(bound, std::nullopt);
        }
        if (!exceeds(used, 1, limit)) {
            continue;
        }
        const monotonic_time freed = window->freed_at(0, used + 1 - *limit).value_or(no_deadline);
        if (!latest.retry_at || freed > *latest.retry_at) {
            latest = held(bound, freed);
        }
    }
    return latest;
}

void quota_ledger::count_call(monotonic_time now) {
    if (limits_.count_calls()) {
        calls_minute_.add(now, 0, 1);
        calls_hour_.add(now, 0, 1);
    }
}

admission_decision quota_ledger::reserve_call(monotonic_time now) {
    expire(now);
    const monotonic_time let_back = pause_.next(now, share());
    admission_decision decision = let_back > now ? held(quota_bound::pause, let_back) : check_calls();
    if (decision.bound != quota_bound::none) {
        return decision;
    }
    pause_.sent(now, 1, share());
    open_call made;
    made.owner = owner_;
    made.number = next_number_++;
    calls_.insert(made);
    decision.reservation = made.number;
    return decision;
}

void quota_ledger::end_call(std::uint64_t number, monotonic_time now, bool sent) {
    open_call which;
    which.owner = owner_;
    which.number = number;
    if (calls_.erase(which) > 0 && sent) {
        expire(now);
        count_call(now);
    }
}

// The chunks of one second at the narrowest known limit; at least one request.
double quota_ledger::share() const noexcept {
    double narrowest = share_unknown;
    if (limits_.chunks_per_minute || limits_.requests_per_minute || limits_.calls_per_minute) {
        const std::uint64_t most = std::min({limits_.chunks_per_minute.value_or(chunks_believed_max),
                                             limits_.requests_per_minute.value_or(chunks_believed_max),
                                             limits_.calls_per_minute.value_or(chunks_believed_max)});
        narrowest = static_cast<double>(most) / 60;
    }
    return std::max(1.0, std::min(narrowest, pace_.rate().value_or(narrowest)));
}

monotonic_time quota_ledger::pass(monotonic_time now) {
    const monotonic_time at = pause_.next(now, share());
    pause_.sent(at, 1, share());
    return at;
}

std::uint64_t quota_ledger::insert(reservation made) {
    made.owner = owner_;
    made.number = next_number_++;
    open_chunks_ += made.closed ? 0 : made.chunks;
    open_requests_ += made.closed ? 0 : 1;
    reservations_.emplace(key(owner_, made.number), made);
    if (!made.answered) {
        unanswered_.emplace(key(owner_, made.number), made.made_at);
    }
    return made.number;
}

admission_decision quota_ledger::reserve(monotonic_time now, std::uint64_t chunks) {
    expire(now);
    chunks = std::min(chunks, chunks_believed_max);
    admission_decision decision = check_totals(now, chunks);
    if (decision.bound == quota_bound::none) {
        const monotonic_time let_back = pause_.next(now, share());
        decision = let_back > now ? held(quota_bound::pause, let_back) : check_in_flight(now);
    }
    if (decision.bound == quota_bound::none) {
        decision = check_minute(chunks);
    }
    if (decision.bound == quota_bound::none && limits_.count_calls()) {
        decision = check_calls();
    }
    if (decision.bound == quota_bound::none) {
        decision = check_pace(now);
    }
    if (decision.bound != quota_bound::none) {
        return decision;
    }
    pause_.sent(now, static_cast<double>(std::max<std::uint64_t>(chunks, 1)), share());
    pace_.sent(now, chunks, limits_.chunks_per_minute);
    reservation made;
    made.chunks = chunks;
    made.borne = borne();
    made.made_at = now;
    decision.reservation = insert(made);
    return decision;
}

std::uint64_t quota_ledger::adopt(monotonic_time now, std::uint64_t chunks) {
    reservation made;
    made.chunks = std::min(chunks, chunks_believed_max);
    made.borne = borne();
    made.made_at = now;
    made.closed = true;
    made.answered = true;
    return insert(made);
}

void quota_ledger::answers_late(std::uint64_t number) {
    const auto found = mine(number);
    if (found != reservations_.end()) {
        found->second.answered = true;
        unanswered_.erase(found->first);
    }
}

// From now on the request counts in the sliding windows and no longer as open.
void quota_ledger::close(reservations::iterator which, std::uint64_t chunks, std::uint64_t requests,
                         monotonic_time now) {
    reservation& closing = which->second;
    open_chunks_ -= closing.chunks;
    --open_requests_;
    closing.closed = true;
    closing.chunks = chunks;
    expire(now);
    if (requests > 0) {
        minute_.add(now, chunks, requests);
        count_call(now);
    }
    if (chunks > 0) {
        day_.add(now, chunks, requests);
        period_chunks_ += chunks;
    }
}

void quota_ledger::leave_flight(reservations::iterator which) {
    unanswered_.erase(which->first);
    reservations_.erase(which);
}

void quota_ledger::settle(std::uint64_t number, std::uint64_t chunks, monotonic_time now) {
    const auto found = mine(number);
    if (found == reservations_.end() || found->second.closed) {
        return;
    }
    chunks = std::min(chunks, chunks_believed_max);
    const std::uint64_t estimated = found->second.chunks;
    close(found, chunks, 1, now);
    found->second.answered = true;
    unanswered_.erase(found->first);
    if (chunks > estimated) {
        pace_.sent(now, chunks - estimated, limits_.chunks_per_minute);
    }
    pace_.accepted(chunks);
    flight_.accepted(now, borne());
}

void quota_ledger::release(std::uint64_t number, monotonic_time now, bool request_sent) {
    const auto found = mine(number);
    if (found != reservations_.end() && !found->second.closed) {
        pace_.taken_back(found->second.chunks);
        close(found, 0, request_sent ? 1 : 0, now);
        leave_flight(found);
    }
}

void quota_ledger::refused(std::uint64_t number, const error& why, monotonic_time now) {
    const auto found = mine(number);
    if (found == reservations_.end() || found->second.closed) {
        return;
    }
    const reservation which = found->second;
    release(number, now, true);
    switch (why.kind) {
        case errc::too_many_inflight: flight_.refused(now, std::max(which.borne, borne())); break;
        case errc::rate_limited: rate_refused(which, now, why.retry_after); break;
        case errc::quota_exceeded: quota_refused(now, why.retry_after); break;
        default: break;
    }
}

void quota_ledger::rate_refused(const reservation& which, monotonic_time now,
                                std::optional<std::chrono::seconds> retry_after) {
    rate_refusal what;
    what.now = now;
    what.sent_at = which.made_at;
    what.retry_after = retry_after.value_or(seconds(0));
    what.chunks = std::max<std::uint64_t>(which.chunks, 1);
    what.borne_in_minute = minute_.chunks();
    what.borne_since = minute_.buckets().empty() ? now : minute_.buckets().front().at;
    pace_.refused(what, limits_.chunks_per_minute);
}

void quota_ledger::quota_refused(monotonic_time now, std::optional<std::chrono::seconds> retry_after) {
    monotonic_time until = deadline_after(now, refusal_believed);
    if (retry_after) {
        until = deadline_after(now, *retry_after);
    } else if (!limits_.chunks_per_day && !day_.buckets().empty()) {
        until = day_.freed_at(1, 0).value_or(until);
    }
    refused_by_ = quota_bound::chunks_per_day;
    refused_until_ = std::max(refused_until_, until);
}

void quota_ledger::hold(std::uint64_t number, monotonic_time now) {
    const auto found = mine(number);
    if (found != reservations_.end() && !found->second.closed) {
        close(found, found->second.chunks, 1, now);
        leave_flight(found);
    }
}

void quota_ledger::job_ended(std::uint64_t number) {
    const auto found = mine(number);
    if (found != reservations_.end() && found->second.closed) {
        leave_flight(found);
    }
}

void quota_ledger::resync(monotonic_time now, const quota_limits& limits, const period_count& counted) {
    expire(now);
    const bool new_period = counted.chunks && counted.period != period_;
    if (new_period || limits != limits_) {
        refused_by_ = quota_bound::none;
        refused_until_ = monotonic_time{};
    }
    limits_ = limits;
    synchronised_at_ = now;
    if (!counted.chunks) {
        return;
    }
    const std::uint64_t consumed = std::min(*counted.chunks, chunks_believed_max);
    // What was used since the clock started a period belongs to the period that the service names now.
    const bool keeps = !new_period || period_started_here_;
    period_chunks_ = keeps ? std::max(period_chunks_, consumed) : consumed;
    period_ = counted.period;
    period_started_here_ = false;
    period_length_ = std::max(counted.length, monotonic_clock::duration::zero());
    period_ends_ = counted.ends && *counted.ends > now ? counted.ends : std::nullopt;
}

std::optional<std::uint64_t> quota_ledger::in_flight_cap() const noexcept {
    const std::optional<std::uint64_t>& learned = flight_.state().cap;
    if (limits_.jobs_in_flight && learned) {
        return std::min(*limits_.jobs_in_flight, *learned);
    }
    return limits_.jobs_in_flight ? limits_.jobs_in_flight : learned;
}

std::uint64_t quota_ledger::chunks_in_minute(monotonic_time now) {
    expire(now);
    return minute_.chunks() + open_chunks_;
}

quota_state quota_ledger::use(monotonic_time now) {
    expire(now);
    quota_state seen;
    seen.chunks_minute = use_of(minute_.chunks() + open_chunks_, limits_.chunks_per_minute);
    seen.requests_minute = use_of(minute_.requests() + open_requests_, limits_.requests_per_minute);
    seen.chunks_day = use_of(day_.chunks() + open_chunks_, limits_.chunks_per_day);
    seen.chunks_period = use_of(period_chunks_ + open_chunks_, limits_.chunks_per_period);
    seen.jobs_in_flight = use_of(jobs_in_flight(), in_flight_cap());
    if (limits_.count_calls()) {
        seen.calls_minute = use_of(calls_minute_.requests() + open_calls(), limits_.calls_per_minute);
        seen.calls_hour = use_of(calls_hour_.requests() + open_calls(), limits_.calls_per_hour);
    }
    if (period_ends_) {
        seen.period_left = std::chrono::ceil<seconds>(*period_ends_ - now);
        seen.period_length = std::chrono::ceil<seconds>(period_length_);
    }
    return seen;
}

}  // namespace vembed::policy
