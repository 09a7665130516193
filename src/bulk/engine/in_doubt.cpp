#include "bulk/engine/in_doubt.hpp"

#include <utility>

namespace vembed::bulk {

using policy::unknown_verdict;

asio::awaitable<void> in_doubt_resolver::park(batch_task* task, error why) {
    const batch* const item = &task->item;
    run_->charges.in_doubt_sent(run_->parts.now());
    const unknown_batch& entry = run_->in_doubt.add(run_->entry_of(*item, why));
    const bool again = entry.resubmitted;
    run_->parts.env->log(log_level::warning, "batch_unknown",
                         {log_field("batch", item->number), log_field("rows", item->indices.size()),
                          log_field("resubmitted", std::string(again ? "yes" : "no"))});
    if (again) {
        const step forgotten = co_await run_->forget(item);
        if (forgotten == step::go_on) {
            task->requeue();
        }
        co_return;
    }
    disk_work parking;
    parking.work = run_->leaving_out(item, why);
    if (item->job_id.empty()) {
        run_->in_doubt.keep_texts(*item);
        parking.changes.push_back(journal_change::mark_unknown(item->number));
    }
    co_await run_->on_disk(std::move(parking));
}

asio::awaitable<unknown_verdict> in_doubt_resolver::judge() {
    const charge_evidence& charges = run_->charges;
    const bool made = charges.charges_are_made(run_->parts.now(), !run_->tally.left.empty());
    policy::reconciliation seen = charges.weigh(run_->in_doubt.chunks_open(), run_->budget.charged(), made);
    if (run_->in_doubt.rows_out() == 0 || !made || !seen.before) {
        co_return unknown_verdict::undecided;
    }
    const monotonic_time until = run_->parts.within(run_state::account_patience);
    const result<policy::account_count> counted = co_await run_->parts.backend->count_chunks(until);
    if (counted) {
        seen.now = *counted;
    }
    co_return policy::judge_unknown(seen);
}

asio::awaitable<void> in_doubt_resolver::await_decision() {
    const auto later = run_->charges.decidable_in(run_->parts.now(), !run_->tally.left.empty(), run_->times().margin);
    const monotonic_time until = run_->charges.charges_made_at();
    if (run_->in_doubt.rows_out() == 0 || !later || until >= run_->parts.deadline) {
        co_return;
    }
    const auto left = std::chrono::ceil<std::chrono::seconds>(until - run_->parts.now());
    run_->parts.env->log(log_level::warning, "waiting_for_unanswered",
                         {log_field("seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(0, left.count())))});
    std::function<bool()> held = [run = run_] { return !run->end.stopping(); };
    co_await run_->wait_in(&run_->lines.outage, std::move(held), until);
}

// If none of the batches in doubt became a job, they are bought like rows that were never sent: here if their texts are
// at hand, otherwise by the next run.
asio::awaitable<void> in_doubt_resolver::decide() {
    if (run_->end.fatal()) {
        co_return;
    }
    if (run_->parts.options->wait_unanswered) {
        co_await await_decision();
    }
    verdict_ = co_await judge();
    if (verdict_ != unknown_verdict::none_charged) {
        run_->in_doubt.note(verdict_);
        co_return;
    }
    disk_work record;
    for (const std::uint64_t number : run_->in_doubt.release()) {
        record.changes.push_back(journal_change::forget(number));
    }
    run_->budget.none_in_doubt_charged();
    co_await run_->on_disk(std::move(record));
}

asio::awaitable<std::optional<batch>> in_doubt_resolver::next() {
    if (run_->end.stopping()) {
        co_return std::nullopt;
    }
    if (verdict_ == unknown_verdict::none_charged) {
        co_return run_->in_doubt.take_released();
    }
    std::optional<batch> again = run_->in_doubt.take_affordable(run_->parts.rows_per_chunk(), &run_->budget);
    if (again) {
        const step forgotten = co_await run_->forget(&*again);
        if (forgotten == step::over) {
            co_return std::nullopt;
        }
    }
    co_return again;
}

}  // namespace vembed::bulk
