#include <vembed/testing/simulation.hpp>

#include <algorithm>
#include <utility>

#include "runtime/parking_spot.hpp"

namespace vembed::testing {

// One wait's claim on a moment. It is dropped when the wait is over, so that time does not stop at a moment for which
// nobody waits any longer.
class simulated_environment::alarm {
public:
    explicit alarm(runtime::parking_spot& spot) : spot_(&spot) {}
    void ring() noexcept { spot_->unpark(); }

private:
    runtime::parking_spot* spot_;
};

class simulated_environment::simulated_timer final : public timer {
public:
    simulated_timer(simulated_environment& env, const asio::any_io_executor& executor) : env_(&env), spot_(executor) {}

    asio::awaitable<wait_outcome> wait_until(monotonic_time deadline) override {
        const auto claim = std::make_shared<alarm>(spot_);
        env_->set_alarm(deadline, claim);
        const wait_outcome outcome = co_await spot_.park(no_deadline);
        const bool was_woken = std::exchange(woken_, false);
        if (outcome == wait_outcome::cancelled) {
            co_return wait_outcome::cancelled;
        }
        co_return was_woken ? wait_outcome::woken : wait_outcome::expired;
    }

    void wake() noexcept override {
        woken_ = true;
        spot_.unpark();
    }

private:
    simulated_environment* env_;
    runtime::parking_spot spot_;
    bool woken_ = false;
};

simulated_environment::simulated_environment(asio::io_context& context, std::uint64_t seed, wall_time wall_start)
    : context_(&context), now_(std::chrono::hours(1)), start_(now_), wall_start_(wall_start), random_state_(seed) {}

simulated_environment::~simulated_environment() = default;

wall_time simulated_environment::wall_now() const {
    return wall_start_ + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - start_);
}

// SplitMix64 gives good bits from any seed, and the same bits on every platform.
std::uint64_t simulated_environment::random() {
    random_state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = random_state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

std::unique_ptr<timer> simulated_environment::make_timer(const asio::any_io_executor& executor) {
    return std::make_unique<simulated_timer>(*this, executor);
}

asio::awaitable<void> simulated_environment::run_blocking(std::function<void()> work) {
    work();
    co_return;
}

void simulated_environment::log(log_level level, std::string_view event, std::initializer_list<log_field> fields) {
    if (!hook_) {
        return;
    }
    log_record record;
    record.level = level;
    record.event = event;
    record.fields = {fields.begin(), fields.size()};
    try {
        hook_(record);
    } catch (...) {
        return;  // A logging error never changes the result of an operation.
    }
}

void simulated_environment::set_alarm(monotonic_time at, const std::shared_ptr<alarm>& who) {
    if (at == no_deadline) {
        return;
    }
    entry added;
    added.at = std::max(at, now_);
    added.sequence = sequence_++;
    added.who = who;
    alarms_.push(std::move(added));
}

bool simulated_environment::run(const std::function<bool()>& done, monotonic_time limit) {
    for (;;) {
        context_->restart();
        while (context_->poll_one() > 0) {
            if (done && done()) {
                return true;
            }
        }
        std::shared_ptr<alarm> next;
        while (!next && !alarms_.empty()) {
            next = alarms_.top().who.lock();
            if (next && alarms_.top().at > limit) {
                now_ = limit;
                return false;
            }
            if (next) {
                now_ = alarms_.top().at;
            }
            alarms_.pop();
        }
        if (!next) {
            return !done || done();
        }
        next->ring();
    }
}

}  // namespace vembed::testing
