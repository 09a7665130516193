#include "runtime/work_elsewhere.hpp"

namespace vembed::runtime {

asio::execution_context::id work_elsewhere::id;

void work_elsewhere::leave() {
    const std::scoped_lock lock(mutex_);
    ++away_;
}

void work_elsewhere::come_back() {
    const std::scoped_lock lock(mutex_);
    --away_;
    changed_.notify_all();  // Notified under the lock: the waiting thread may destroy this object afterwards.
}

void work_elsewhere::shutdown() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return away_ == 0; });
}

}  // namespace vembed::runtime
