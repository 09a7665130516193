#include "bulk/disk_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/thrown.hpp"

namespace vembed::bulk {
namespace {

// The caller's sink or journal may throw.
result<void> guarded(const std::function<result<void>()>& work) {
    try {
        return work ? work() : result<void>();
    } catch (...) {
        return thrown_failure("the sink or the journal");
    }
}

}  // namespace

result<void> disk_queue::make_durable(const std::vector<entry*>& group) {
    std::vector<journal_change> changes;
    bool flush_first = false;
    for (entry* const one : group) {
        if (one->outcome) {
            flush_first = flush_first || one->what.flush_first;
            changes.insert(changes.end(), one->what.changes.begin(), one->what.changes.end());
        }
    }
    if (journal_ == nullptr || changes.empty()) {
        return {};
    }
    if (flush_first) {
        if (auto flushed = sink_->flush(); !flushed) {
            return flushed;
        }
    }
    return journal_->commit(changes);
}

void disk_queue::work_off() {
    std::vector<entry*> group;
    {
        const std::scoped_lock lock(mutex_);
        group.swap(waiting_);
    }
    for (entry* const one : group) {
        one->outcome = guarded(one->what.work);
    }
    const std::function<result<void>()> last = [this, &group] { return make_durable(group); };
    const result<void> durable = guarded(last);
    for (entry* const one : group) {
        if (one->outcome && !durable && !one->what.changes.empty()) {
            one->outcome = durable.error();
        }
    }
}

asio::awaitable<result<void>> disk_queue::run(disk_work what) {
    entry own;
    own.what = std::move(what);
    {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back(&own);
    }
    // The worker takes everything that waits at once, so most calls find their own work done.
    std::function<void()> take = [this] { work_off(); };
    co_await env_->run_blocking(std::move(take));
    co_return own.outcome;
}

}  // namespace vembed::bulk
