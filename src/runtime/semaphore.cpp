#include "runtime/semaphore.hpp"

namespace vembed::runtime {

void semaphore::permit::release() noexcept {
    if (from_ != nullptr) {
        ++from_->free_;
        from_->line_.wake_first();
        from_ = nullptr;
    }
}

asio::awaitable<bool> semaphore::acquire(permit* into) {
    if (into->held()) {
        co_return true;
    }
    wait_queue::place place(line_);
    while (!place.first() || free_ == 0) {
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return false;
        }
    }
    --free_;
    into->from_ = this;
    co_return true;
}

}  // namespace vembed::runtime
