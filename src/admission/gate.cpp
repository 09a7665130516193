#include "admission/gate.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "policy/retry/backoff.hpp"

namespace vembed::admission {
namespace {

// How often a long run asks for the service's own count, and the shortest time between two requests for it.
constexpr std::chrono::minutes resync_interval{10};
constexpr std::chrono::minutes resync_interval_least{1};

error waited_in_vain(wait_outcome outcome) {
    if (outcome == wait_outcome::cancelled) {
        return {errc::cancelled, "cancelled while waiting for the account's quota"};
    }
    return {errc::timeout, "the deadline passed while waiting for the account's quota"};
}

error quota_used_up(const policy::admission_decision& decision, monotonic_time now) {
    error f(errc::quota_exceeded, "the account's " + std::string(to_string(decision.bound)) + " is used up");
    if (decision.retry_at && *decision.retry_at != no_deadline) {
        f.retry_after = std::chrono::ceil<std::chrono::seconds>(*decision.retry_at - now);
    }
    return f;
}

// A job does not wait in line for the next day or period, but it does wait for the final cost of other jobs.
bool refuses(const policy::admission_decision& decision) noexcept {
    const bool is_total = decision.bound == policy::quota_bound::chunks_per_day ||
                          decision.bound == policy::quota_bound::chunks_per_period;
    return !decision.retry_at || (is_total && *decision.retry_at != no_deadline);
}

}  // namespace

lease::lease(std::shared_ptr<gate> from, std::uint64_t reservation, bool accepted)
    : gate_(std::move(from)), reservation_(reservation), state_(accepted ? state::settled : state::reserved) {}

lease::lease(lease&& other) noexcept
    : gate_(std::move(other.gate_)),
      reservation_(other.reservation_),
      state_(std::exchange(other.state_, state::empty)),
      sent_(other.sent_) {}

lease& lease::operator=(lease&& other) noexcept {
    if (this != &other) {
        abandon();
        gate_ = std::move(other.gate_);
        reservation_ = other.reservation_;
        state_ = std::exchange(other.state_, state::empty);
        sent_ = other.sent_;
    }
    return *this;
}

lease::~lease() {
    abandon();
}

void lease::tell(ledger_operation what) {
    gate_->with_ledger(what);
    gate_->wake_leader();
}

void lease::abandon() noexcept {
    if (state_ == state::settled) {
        end();
    } else if (state_ == state::reserved && sent_) {
        state_ = state::empty;
        const monotonic_time now = gate_->env_->now();
        tell([&](policy::quota_ledger& ledger) { ledger.hold(reservation_, now); });
    } else if (state_ == state::reserved) {
        release();
    }
}

void lease::settle(std::uint64_t chunks) {
    if (state_ == state::reserved) {
        state_ = state::settled;
        const monotonic_time now = gate_->env_->now();
        tell([&](policy::quota_ledger& ledger) { ledger.settle(reservation_, chunks, now); });
    }
}

void lease::release() {
    if (state_ == state::reserved) {
        state_ = state::empty;
        const monotonic_time now = gate_->env_->now();
        tell([&](policy::quota_ledger& ledger) { ledger.release(reservation_, now, sent_); });
    }
}

void lease::refused(const error& why) {
    if (state_ == state::reserved) {
        state_ = state::empty;
        const monotonic_time now = gate_->env_->now();
        tell([&](policy::quota_ledger& ledger) { ledger.refused(reservation_, why, now); });
        if (why.kind == errc::quota_exceeded) {
            gate_->ask_for_resync(now);
        }
    }
}

void lease::answers_late() {
    if (state_ == state::reserved) {
        tell([&](policy::quota_ledger& ledger) { ledger.answers_late(reservation_); });
    }
}

void lease::end() {
    if (state_ == state::settled) {
        state_ = state::empty;
        tell([&](policy::quota_ledger& ledger) { ledger.job_ended(reservation_); });
    }
}

call_lease& call_lease::operator=(call_lease&& other) noexcept {
    if (this != &other) {
        end(true);
        gate_ = std::move(other.gate_);
        number_ = other.number_;
    }
    return *this;
}

void call_lease::end(bool sent) noexcept {
    if (const std::shared_ptr<gate> from = std::exchange(gate_, nullptr)) {
        const monotonic_time now = from->env_->now();
        from->with_ledger([&](policy::quota_ledger& ledger) { ledger.end_call(number_, now, sent); });
        from->wake_leader();
    }
}

gate::gate(asio::any_io_executor executor, std::shared_ptr<environment> env, policy::quota_limits limits)
    : env_(std::move(env)),
      owner_(env_->random()),
      ledger_(std::make_shared<local_ledger>(policy::quota_ledger(limits, owner_))),
      interactive_(executor, env_),
      bulk_(executor, env_),
      prompt_calls_(executor, env_),
      polls_(executor, env_),
      counts_calls_(limits.count_calls()) {}

void gate::with_ledger(ledger_operation what) {
    ledger_->update([&](policy::quota_ledger& ledger) {
        what(ledger);
        const policy::shared_pause& pause = ledger.paused();
        if (pause.state().until != open_at_) {
            open_at_ = pause.state().until;
            heard_of_it_at_ = env_->now();
            if (closed_by_.kind != pause.state().because) {
                closed_by_ = error(pause.state().because, "the service asked for a pause");
            }
        }
        calm_at_ = pause.calm_at();
    });
    seen_at_ = env_->now();
}

void gate::move_ledger(std::shared_ptr<ledger_access> there) {
    policy::ledger_state known;
    policy::quota_limits limits;
    ledger_->update([&](policy::quota_ledger& ledger) {
        known = ledger.snapshot();
        limits = ledger.limits();
    });
    ledger_ = std::move(there);
    with_ledger([&](policy::quota_ledger& ledger) {
        ledger.set_limits(limits);
        ledger.merge(known);
    });
    wake_leader();
}

bool gate::leads(const runtime::wait_queue::place& place, priority who) const noexcept {
    return place.first() && (who == priority::interactive || interactive_.empty());
}

void gate::wake_leader() noexcept {
    if (interactive_.empty()) {
        bulk_.wake_first();
    } else {
        interactive_.wake_first();
    }
    wake_calls();
}

void gate::wake_calls() noexcept {
    prompt_calls_.wake_first();
    polls_.wake_first();
}

bool gate::submission_goes_first() const noexcept {
    return bound_ == policy::quota_bound::none || bound_ == policy::quota_bound::pause || policy::limits_calls(bound_);
}

bool gate::leads(const runtime::wait_queue::place& place, call_rank rank) const noexcept {
    const bool first = submission_goes_first();
    if (!place.first() || (first && !interactive_.empty())) {
        return false;
    }
    return rank == call_rank::interactive || (prompt_calls_.empty() && !(first && !bulk_.empty()));
}

error gate::closed_until(monotonic_time until) const {
    error f = closed_by_;
    // The service's own Retry-After is reported, not the pause, which is longer by its jitter.
    const monotonic_time asked = until == open_at_ && until == own_pause_until_ ? asked_until_ : until;
    const auto left = std::chrono::ceil<std::chrono::seconds>(asked - env_->now());
    f.retry_after = std::max(left, std::chrono::seconds(1));
    return f;
}

monotonic_time gate::holds_until() const noexcept {
    return std::min(open_at_, deadline_after(heard_of_it_at_, held_at_most));
}

// Other processes may change a shared ledger without waking this gate.
monotonic_time gate::look_again(monotonic_time now, monotonic_time at) const noexcept {
    const monotonic_clock::duration every = ledger_->look_again_every();
    return every > monotonic_clock::duration::zero() ? std::min(at, deadline_after(now, every)) : at;
}

// If a waiter leaves its line, admitted or not, the first of the other line may be next.
class gate::departure {
public:
    explicit departure(gate& from) : gate_(&from) {}
    departure(const departure&) = delete;
    departure& operator=(const departure&) = delete;
    ~departure() { gate_->wake_leader(); }

private:
    gate* gate_;
};

policy::admission_decision gate::reserve(monotonic_time now, std::uint64_t chunks, priority who) {
    policy::admission_decision decision;
    std::optional<monotonic_time> synchronised_at;
    with_ledger([&](policy::quota_ledger& ledger) {
        decision = ledger.reserve(now, chunks);
        synchronised_at = ledger.synchronised_at();
    });
    const bool went_first = submission_goes_first();
    bound_ = decision.bound;
    if (counts_calls_ && went_first && !submission_goes_first()) {
        wake_calls();
    }
    if (who == priority::bulk && synchronised_at && now >= deadline_after(*synchronised_at, resync_interval)) {
        ask_for_resync(now);
    }
    return decision;
}

void gate::ask_for_resync(monotonic_time now) {
    if (resync_due_ && (!resync_asked_at_ || now >= deadline_after(*resync_asked_at_, resync_interval_least))) {
        resync_asked_at_ = now;
        resync_due_();
    }
}

asio::awaitable<std::optional<error>> gate::wait_in_line(runtime::wait_queue::place* place, monotonic_time now,
                                                         monotonic_time again, monotonic_time deadline) {
    if (open_at_ > now && open_at_ >= deadline) {
        co_return closed_until(open_at_);
    }
    if (now >= deadline) {
        co_return waited_in_vain(wait_outcome::expired);
    }
    const monotonic_time until = std::min(again, deadline);
    const wait_outcome outcome = co_await place->wait_until(until);
    if (outcome == wait_outcome::cancelled) {
        co_return waited_in_vain(outcome);
    }
    co_return std::nullopt;
}

asio::awaitable<result<lease>> gate::enter(chunk_estimate chunks, applicant from, monotonic_time deadline) {
    const std::shared_ptr<gate> self = shared_from_this();
    const departure leaving(*self);
    const priority who = from.who;
    runtime::wait_queue::place place(line(who));
    for (;;) {
        const monotonic_time now = env_->now();
        if (from.run && from.run->requested) {
            co_return error(errc::cancelled, "withdrawn before it was submitted");
        }
        monotonic_time again = no_deadline;
        if (leads(place, who)) {
            const policy::admission_decision decision = reserve(now, chunks.now(), who);
            if (decision.reservation) {
                co_return lease(self, *decision.reservation, false);
            }
            if (refuses(decision)) {
                co_return quota_used_up(decision, now);
            }
            again = look_again(now, *decision.retry_at);
        }
        if (who == priority::bulk && open_at_ > now && open_at_ - now > waited_in_line_at_most) {
            co_return closed_until(open_at_);
        }
        std::optional<error> given_up = co_await wait_in_line(&place, now, again, deadline);
        if (given_up) {
            co_return std::move(*given_up);
        }
    }
}

policy::admission_decision gate::reserve_call(monotonic_time now) {
    policy::admission_decision decision;
    with_ledger([&](policy::quota_ledger& ledger) { decision = ledger.reserve_call(now); });
    return decision;
}

asio::awaitable<result<call_lease>> gate::enter_call(call_rank rank, monotonic_time deadline) {
    const std::shared_ptr<gate> self = shared_from_this();
    const departure leaving(*self);
    runtime::wait_queue::place place(rank == call_rank::interactive ? prompt_calls_ : polls_);
    for (;;) {
        const monotonic_time now = env_->now();
        monotonic_time again = no_deadline;
        if (leads(place, rank)) {
            const policy::admission_decision decision = reserve_call(now);
            if (decision.reservation) {
                co_return call_lease(self, *decision.reservation);
            }
            if (!decision.retry_at) {
                co_return error(errc::quota_exceeded, "the limit of calls is 0: raise it to send anything");
            }
            again = look_again(now, *decision.retry_at);
        }
        std::optional<error> given_up = co_await wait_in_line(&place, now, again, deadline);
        if (given_up) {
            co_return std::move(*given_up);
        }
    }
}

lease gate::adopt(std::uint64_t chunks) {
    std::uint64_t reservation = 0;
    const monotonic_time now = env_->now();
    with_ledger([&](policy::quota_ledger& ledger) { reservation = ledger.adopt(now, chunks); });
    return {shared_from_this(), reservation, true};
}

bool gate::is_open() {
    const monotonic_time now = env_->now();
    const monotonic_clock::duration every = ledger_->look_again_every();
    if (every > monotonic_clock::duration::zero() && now >= deadline_after(seen_at_, every)) {
        look();
    }
    return now >= calm_at_;
}

asio::awaitable<result<void>> gate::pass(monotonic_time deadline) {
    const std::shared_ptr<gate> self = shared_from_this();
    for (;;) {
        const monotonic_time now = env_->now();
        monotonic_time at = now;
        const bool too_long = holds_until() < open_at_;
        if (too_long && now >= holds_until()) {
            co_return result<void>();
        }
        if (too_long) {
            at = holds_until();
        } else if (open_at_ <= now || open_at_ < deadline) {
            with_ledger([&](policy::quota_ledger& ledger) { at = ledger.pass(now); });
        }
        if (!too_long && open_at_ > now && open_at_ >= deadline) {
            co_return closed_until(open_at_);
        }
        if (at <= now) {
            co_return result<void>();
        }
        if (at >= deadline) {
            co_return closed_until(too_long ? open_at_ : at);
        }
        const monotonic_time opens = open_at_;
        const wait_outcome outcome = co_await sleep_until(env_, at);
        if (outcome == wait_outcome::cancelled) {
            co_return waited_in_vain(outcome);
        }
        if (!is_open() && open_at_ != opens) {
            continue;  // The service asked for another pause meanwhile.
        }
        co_return result<void>();
    }
}

void gate::pause(std::chrono::seconds delay, const error& why) {
    const monotonic_time now = env_->now();
    const monotonic_time until = deadline_after(now, policy::with_positive_jitter(delay, env_->random()));
    const monotonic_time before = open_at_;
    bool longest = false;
    with_ledger([&](policy::quota_ledger& ledger) { longest = ledger.pause(until, why.kind); });
    if (!longest) {
        return;
    }
    pauses_ += before <= now ? 1 : 0;
    paused_ += until - std::max(now, before);
    closed_by_ = why;
    asked_until_ = deadline_after(now, delay);
    own_pause_until_ = until;
    env_->log(log_level::warning, "gate_paused",
              {log_field("seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(0, delay.count())))});
    wake_leader();
}

void gate::recheck() noexcept {
    interactive_.wake_all();
    bulk_.wake_all();
    prompt_calls_.wake_all();
    polls_.wake_all();
}

void gate::resync(const policy::quota_limits& limits, const policy::period_count& counted) {
    const monotonic_time now = env_->now();
    with_ledger([&](policy::quota_ledger& ledger) { ledger.resync(now, limits, counted); });
    counts_calls_ = limits.count_calls();
    wake_leader();
}

std::uint64_t gate::jobs_in_flight() const {
    std::uint64_t seen = 0;
    ledger_->update([&](const policy::quota_ledger& ledger) { seen = ledger.jobs_in_flight(); });
    return seen;
}

gate_statistics gate::statistics() const {
    gate_statistics seen;
    const monotonic_time now = env_->now();
    ledger_->update([&](policy::quota_ledger& ledger) { seen.quota = ledger.use(now); });
    seen.pauses = pauses_;
    const monotonic_clock::duration still_ahead = open_at_ > now ? open_at_ - now : monotonic_clock::duration::zero();
    seen.paused = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::max(paused_ - still_ahead, monotonic_clock::duration::zero()));
    if (open_at_ > now) {
        seen.limited_by = std::string(to_string(policy::quota_bound::pause));
    } else if (!interactive_.empty() || !bulk_.empty()) {
        seen.limited_by = std::string(to_string(bound_));
    }
    return seen;
}

}  // namespace vembed::admission
