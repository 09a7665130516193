#include "bulk/engine/intent.hpp"

#include <utility>

#include "core/row_ranges.hpp"

namespace vembed::bulk {

bool intent::may_go() {
    held_back_ = run_->outage.under_way() && kind_ == submission_kind::regular;
    return !run_->end.stopping() && !held_back_;
}

// The journal has a batch before its first byte is written, but only after the gate lets it through. A batch that waits
// at the gate when a process ends was certainly not sent, and a batch that was sent was sent soon after its recorded
// time.
asio::awaitable<result<void>> intent::about_to_send() {
    const run_parts& parts = run_->parts;
    error withdrawn(errc::cancelled, "withdrawn before it was submitted");
    bool is_late = true;
    while (is_late) {
        if (!may_go()) {
            co_return withdrawn;
        }
        const result<void> undone = co_await revoke();  // The recorded intent is too old.
        if (!undone) {
            co_return undone.error();
        }
        const monotonic_time latest = deadline_after(parts.now(), run_state::recording_max);
        item_->number = run_->next_batch++;
        const std::uint64_t chunks = parts.backend->chunks_at_most(item_->indices.size());
        journal_change change =
            journal_change::intend(item_->number, core::ranges_of(item_->indices), chunks, parts.env->wall_now());
        const step recorded = co_await run_->record(std::move(change));
        item_->intended = recorded == step::go_on;
        if (!item_->intended) {
            co_return *run_->end.fatal();
        }
        is_late = parts.now() > latest;
    }
    const bool ended = co_await run_->end.cancelled();
    if (ended || !may_go()) {
        co_return withdrawn;
    }
    co_return result<void>();
}

asio::awaitable<result<void>> intent::revoke() {
    if (item_->intended) {
        item_->intended = false;
        const step forgotten = co_await run_->forget(item_);
        if (forgotten == step::over) {
            co_return *run_->end.fatal();
        }
    }
    co_return result<void>();
}

}  // namespace vembed::bulk
