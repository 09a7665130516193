#include "runtime/alarm.hpp"

#include <cstdint>

#include "runtime/steady_time.hpp"

namespace vembed::runtime {

class alarm::state {
public:
    state(const asio::any_io_executor& executor, std::function<void()> to_call)
        : timer(executor), ring(std::move(to_call)) {}

    asio::steady_timer timer;
    std::function<void()> ring;
    monotonic_time at = no_deadline;
    std::uint64_t settings = 0;  ///< Tells a wait that ended just before it was replaced.
};

alarm::alarm(const asio::any_io_executor& executor, std::function<void()> ring)
    : state_(std::make_shared<state>(executor, std::move(ring))) {}

alarm::~alarm() {
    clear();
}

void alarm::set(monotonic_time at) {
    clear();
    if (at == no_deadline) {
        return;
    }
    state_->at = at;
    state_->timer.expires_at(to_steady(at));
    state_->timer.async_wait([weak = std::weak_ptr<state>(state_), setting = state_->settings](auto) {
        const std::shared_ptr<state> alive = weak.lock();
        if (alive && alive->settings == setting && alive->at != no_deadline) {
            alive->at = no_deadline;
            alive->ring();
        }
    });
}

void alarm::clear() noexcept {
    state_->at = no_deadline;
    ++state_->settings;
    try {
        state_->timer.cancel();
    } catch (const boost::system::system_error&) {
        // The wait goes on and finds that it was replaced.
        return;
    }
}

monotonic_time alarm::at() const noexcept {
    return state_->at;
}

}  // namespace vembed::runtime
