#include "runtime/alarm.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/steady_time.hpp"

namespace vembed::runtime {

class alarm::state {
public:
    state(const asio::any_io_executor& executor, std::function<void()> to_call)
        : timers{asio::steady_timer(executor), asio::steady_timer(executor)}, ring(std::move(to_call)) {}

    std::array<asio::steady_timer, 2> timers;  ///< One waits; a new wait begins on the other before it ends.
    std::size_t waiting = 0;
    std::function<void()> ring;
    monotonic_time at = no_deadline;
    std::uint64_t settings = 0;  ///< Identifies a wait that ended just before it was replaced.
};

alarm::alarm(const asio::any_io_executor& executor, std::function<void()> ring)
    : state_(std::make_shared<state>(executor, std::move(ring))) {}

alarm::~alarm() {
    clear();
}

// If the new wait cannot begin, the old one goes on.
void alarm::set(monotonic_time at) {
    if (at == no_deadline) {
        clear();
        return;
    }
    const std::size_t next = 1 - state_->waiting;
    state_->timers[next].expires_at(to_steady(at));
    const std::uint64_t setting = state_->settings + 1;  // The value after clear() below.
    state_->timers[next].async_wait([weak = std::weak_ptr<state>(state_), setting](auto) {
        const std::shared_ptr<state> alive = weak.lock();
        if (alive && alive->settings == setting && alive->at != no_deadline) {
            alive->at = no_deadline;
            alive->ring();
        }
    });
    clear();
    state_->waiting = next;
    state_->at = at;
}

void alarm::clear() noexcept {
    state_->at = no_deadline;
    ++state_->settings;
    try {
        state_->timers[state_->waiting].cancel();
    } catch (const boost::system::system_error&) {
        // The wait goes on; when it ends, it finds that it was replaced.
        return;
    }
}

monotonic_time alarm::at() const noexcept {
    return state_->at;
}

}  // namespace vembed::runtime
