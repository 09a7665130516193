#include "runtime/wait_queue.hpp"

namespace vembed::runtime {

wait_queue::place::place(wait_queue& queue)
    : queue_(&queue), self_(queue.line_.insert(queue.line_.end(), queue.env_->make_timer(queue.executor_))) {}

wait_queue::place::~place() {
    const bool was_first = first();
    queue_->line_.erase(self_);
    if (was_first) {
        queue_->wake_first();
    }
}

bool wait_queue::place::first() const noexcept {
    return self_ == queue_->line_.begin();
}

asio::awaitable<wait_outcome> wait_queue::place::wait_until(monotonic_time deadline) {
    return (*self_)->wait_until(deadline);
}

void wait_queue::wake_first() noexcept {
    if (!line_.empty()) {
        line_.front()->wake();
    }
}

void wait_queue::wake_all() noexcept {
    for (const std::unique_ptr<timer>& waiter : line_) {
        waiter->wake();
    }
}

}  // namespace vembed::runtime
