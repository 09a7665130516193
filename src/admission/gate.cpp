#include "admission/gate.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "policy/backoff.hpp"

namespace vembed::admission {
namespace {

failure waited_in_vain(wait_outcome outcome) {
    if (outcome == wait_outcome::cancelled) {
        return {errc::cancelled, "cancelled while waiting for the account's quota"};
    }
    return {errc::timeout, "the deadline passed while waiting for the account's quota"};
}

failure quota_used_up(const policy::admission_decision& decision, monotonic_time now) {
    failure f(errc::quota_exceeded, "the account's " + std::string(to_string(decision.bound)) + " is used up");
    if (decision.retry_at && *decision.retry_at != no_deadline) {
        f.retry_after = std::chrono::ceil<std::chrono::seconds>(*decision.retry_at - now);
    }
    return f;
}

// Nobody waits in line for the next day or period. Waiting for what other jobs turn out to cost is another matter.
bool refuses(const policy::admission_decision& decision) noexcept {
    const bool is_total = decision.bound == policy::quota_bound::chunks_per_day ||
                          decision.bound == policy::quota_bound::chunks_per_period;
    return !decision.retry_at || (is_total && *decision.retry_at != no_deadline);
}

}  // namespace

lease::lease(std::shared_ptr<gate> from, std::uint64_t reservation)
    : gate_(std::move(from)), reservation_(reservation), state_(state::reserved) {}

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

void lease::abandon() noexcept {
    if (state_ == state::settled) {
        end();
    } else if (state_ == state::reserved && sent_) {
        state_ = state::empty;
        gate_->ledger_.hold(reservation_, gate_->env_->now());
        gate_->wake_leader();
    } else if (state_ == state::reserved) {
        release();
    }
}

void lease::settle(std::uint64_t chunks) {
    if (state_ == state::reserved) {
        state_ = state::settled;
        gate_->ledger_.settle(reservation_, chunks, gate_->env_->now());
        gate_->wake_leader();
    }
}

void lease::release() {
    if (state_ == state::reserved) {
        state_ = state::empty;
        gate_->ledger_.release(reservation_, gate_->env_->now(), sent_);
        gate_->wake_leader();
    }
}

void lease::end() {
    if (state_ == state::settled) {
        state_ = state::empty;
        gate_->ledger_.job_ended(reservation_);
        gate_->wake_leader();
    }
}

gate::gate(asio::any_io_executor executor, std::shared_ptr<environment> env, policy::quota_limits limits)
    : env_(std::move(env)), ledger_(limits), interactive_(executor, env_), bulk_(executor, env_) {
    open_at_ = env_->now();
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
}

failure gate::closed_past_deadline() const {
    failure f = closed_by_;
    f.retry_after = std::chrono::ceil<std::chrono::seconds>(open_at_ - env_->now());
    return f;
}

// Whoever leaves the line, admitted or not, may leave the other line's first in front.
class gate::departure {
public:
    explicit departure(gate& from) : gate_(&from) {}
    departure(const departure&) = delete;
    departure& operator=(const departure&) = delete;
    ~departure() { gate_->wake_leader(); }

private:
    gate* gate_;
};

asio::awaitable<result<lease>> gate::enter(std::uint64_t chunks, applicant from, monotonic_time deadline) {
    const std::shared_ptr<gate> self = shared_from_this();
    const departure leaving(*self);
    const priority who = from.who;
    runtime::wait_queue::place place(line(who));
    for (;;) {
        const monotonic_time now = env_->now();
        if (from.run && from.run->requested) {
            co_return failure(errc::cancelled, "withdrawn before it was submitted");
        }
        if (open_at_ > now && open_at_ >= deadline) {
            co_return closed_past_deadline();
        }
        monotonic_time look_again = no_deadline;
        if (leads(place, who)) {
            look_again = open_at_;
            if (now >= open_at_) {
                const policy::admission_decision decision = ledger_.reserve(now, chunks);
                bound_ = decision.bound;
                if (decision.reservation) {
                    co_return lease(self, *decision.reservation);
                }
                if (refuses(decision)) {
                    co_return quota_used_up(decision, now);
                }
                look_again = *decision.retry_at;
            }
        }
        if (now >= deadline) {
            co_return waited_in_vain(wait_outcome::expired);
        }
        const monotonic_time until = std::min(look_again, deadline);
        const wait_outcome outcome = co_await place.wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return waited_in_vain(outcome);
        }
    }
}

asio::awaitable<result<void>> gate::pass(monotonic_time deadline) {
    const std::shared_ptr<gate> self = shared_from_this();
    while (env_->now() < open_at_) {
        if (open_at_ >= deadline) {
            co_return closed_past_deadline();
        }
        // A little apart from each other, so that those who waited do not all come at once.
        const auto apart =
            policy::with_positive_jitter(std::chrono::seconds(2), env_->random()) - std::chrono::seconds(2);
        const monotonic_time until = std::min(deadline_after(open_at_, apart), deadline);
        const wait_outcome outcome = co_await sleep_until(env_, until);
        if (outcome == wait_outcome::cancelled) {
            co_return waited_in_vain(outcome);
        }
    }
    co_return result<void>();
}

void gate::pause(std::chrono::seconds delay, const failure& why) {
    const monotonic_time now = env_->now();
    const monotonic_time until = deadline_after(now, policy::with_positive_jitter(delay, env_->random()));
    if (until <= open_at_) {
        return;
    }
    const monotonic_time from = std::max(now, open_at_);
    if (open_at_ <= now) {
        ++pauses_;
    }
    paused_ += until - from;
    open_at_ = until;
    closed_by_ = why;
    env_->log(log_level::warning, "gate_paused",
              {log_field("seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(0, delay.count())))});
    wake_leader();
}

void gate::recheck() noexcept {
    interactive_.wake_all();
    bulk_.wake_all();
}

void gate::inflight_refused() {
    ledger_.inflight_refused();
}

void gate::resync(const policy::quota_limits& limits, std::optional<std::uint64_t> chunks_consumed_period,
                  std::string period) {
    ledger_.resync(limits, chunks_consumed_period, std::move(period));
    wake_leader();
}

gate_statistics gate::statistics() const {
    gate_statistics seen;
    const monotonic_time now = env_->now();
    seen.pauses = pauses_;
    const monotonic_clock::duration still_ahead = open_at_ > now ? open_at_ - now : monotonic_clock::duration::zero();
    seen.paused = std::chrono::duration_cast<std::chrono::milliseconds>(paused_ - still_ahead);
    if (open_at_ > now) {
        seen.limited_by = "pause asked for by the service";
    } else if (!interactive_.empty() || !bulk_.empty()) {
        seen.limited_by = std::string(to_string(bound_));
    }
    return seen;
}

}  // namespace vembed::admission
