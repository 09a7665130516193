#include "bulk/engine/disputes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/row_ranges.hpp"

namespace vembed::bulk {
namespace {

error two_submissions(const std::string& job_id) {
    error f(errc::outcome_unknown, "the service gave the id of job " + job_id +
                                       " to two submissions: which rows that job is about is not known");
    f.job_id = job_id;
    return f;
}

}  // namespace

asio::awaitable<void> dispute_resolver::settle_prior() {
    auto& disputed = run_->jobs.disputed_before();
    for (std::size_t at = 0; at < disputed.size(); ++at) {
        auto& [job_id, second] = disputed[at];
        co_await settle(&job_id, run_->jobs.first_of(job_id));
        co_await settle(&job_id, &second);
    }
}

// One commit records both as in doubt, so that a process that continues after a crash uses neither.
asio::awaitable<void> dispute_resolver::dispute(batch_task* task, std::string job_id) {
    job_owner* const owner = run_->jobs.first_of(job_id);
    owner->disputed = true;
    if (owner->reached != job_owner::stage::asked_for) {
        run_->parts.backend->unwatch(job_id);  // Nobody will ask for the job again.
    }
    run_->charges.job_came_to_nothing();  // One of the two may not be charged.
    error why = two_submissions(job_id);
    why.message += "; the other is batch " + std::to_string(owner->batch);
    run_->parts.env->log(
        log_level::error, "job_id_given_twice",
        {log_field("job_id", job_id), log_field("batch", task->item.number), log_field("first_batch", owner->batch)});
    std::vector<journal_change> changes;
    owner->doubt(changes);
    run_->note_facts(changes);
    co_await park(task, std::move(why), std::move(changes));
    withdraw_left(job_id);
    co_await settle(&job_id, owner);
}

// A job that was left to the next run is now in doubt.
void dispute_resolver::withdraw_left(const std::string& job_id) {
    const auto left = std::ranges::find(run_->tally.left, job_id, &job_left::job_id);
    if (left == run_->tally.left.end()) {
        return;
    }
    report_in_doubt(left->batch, core::indices_of(left->rows), two_submissions(job_id));
    run_->tally.left.erase(left);
}

// Reports a batch that was accepted and whose texts are not at hand any more.
void dispute_resolver::report_in_doubt(std::uint64_t number, const std::vector<std::uint64_t>& rows, const error& why) {
    unknown_batch entry;
    entry.batch = number;
    entry.job_id = why.job_id;
    entry.rows = rows;
    entry.chunks_estimated = run_->parts.backend->chunks_at_most(rows.size());
    entry.reason = why.message;
    run_->in_doubt.add(std::move(entry));
}

// Rows that were written before their job's id came a second time stay if the receipt proves that the job is about
// their texts.
asio::awaitable<void> dispute_resolver::settle(const std::string* job_id, job_owner* owner) {
    if (owner->reached != job_owner::stage::stored) {
        co_return;
    }
    stored_rows rows;
    disk_work looking;
    looking.work = [this, owner, &rows] { return look_up(*owner, &rows); };
    if (!owner->proved) {
        owner->doubt(looking.changes);  // An earlier process took the job and did not notice.
    }
    const step looked_up = co_await run_->on_disk(std::move(looking));
    if (looked_up == step::over) {
        co_return;
    }
    if (!owner->proved && !rows.texts.empty()) {
        const bool proved = co_await prove_inputs(job_id, &rows);
        owner->proved = owner->proved || proved;
    }
    if (!owner->proved) {
        co_await withdraw(job_id, owner, &rows);
    } else if (owner->journalled == job_owner::standing::doubted) {
        owner->journalled = job_owner::standing::held;
        disk_work proven;
        proven.changes.push_back(journal_change::accept(owner->batch, *job_id, rows.chunks));
        proven.changes.push_back(journal_change::complete(owner->batch));
        co_await run_->on_disk(std::move(proven));
    }
}

// If the service cannot say, it is asked again for as long as a job may be late.
asio::awaitable<bool> dispute_resolver::prove_inputs(const std::string* job_id, const stored_rows* rows) {
    const auto texts = std::make_shared<const std::vector<input_digests>>(rows->texts);
    const monotonic_time until = run_->parts.within(run_->parts.options->job_timeout);
    const monotonic_time last = std::min(until, run_->parts.within(run_->parts.options->visible_within));
    for (std::chrono::seconds pause(1);; pause *= 2) {
        std::string id = *job_id;
        std::shared_ptr<const std::vector<input_digests>> of = texts;
        const result<bool> proved = co_await run_->parts.backend->prove_inputs(std::move(id), std::move(of), until);
        if (proved) {
            co_return *proved;
        }
        const monotonic_time again = deadline_after(run_->parts.now(), pause);
        if (again > last) {
            co_return false;
        }
        const step undisturbed = co_await run_->pause_before_asking(again, proved.error().kind);
        if (undisturbed == step::over) {
            co_return false;
        }
    }
}

result<void> dispute_resolver::look_up(const job_owner& owner, stored_rows* found) {
    run_journal* const journal = run_->parts.options->journal;
    row_sink* const sink = run_->parts.sink;
    if (journal == nullptr) {
        found->indices = core::indices_of(owner.rows);
    } else {
        const auto batch = journal->find(owner.batch);
        if (!batch) {
            return batch.error();
        }
        found->indices = *batch ? core::indices_of((*batch)->rows) : std::vector<std::uint64_t>();
        found->chunks = *batch ? (*batch)->chunks : 0;
    }
    if (!sink->keeps_digests()) {
        return {};
    }
    auto texts = sink->digests_of(found->indices);
    if (!texts) {
        return texts.error();
    }
    found->texts = std::move(*texts).value_or(std::vector<input_digests>());
    return {};
}

// The journal has the batch in doubt already. If the process dies here, the next one withdraws the rows of every batch
// in doubt.
asio::awaitable<void> dispute_resolver::withdraw(const std::string* job_id, job_owner* owner, const stored_rows* rows) {
    if (std::exchange(owner->reached, job_owner::stage::ended) != job_owner::stage::stored) {
        co_return;  // Another dispute about the batch withdrew the rows meanwhile.
    }
    error why = two_submissions(*job_id);
    why.message += "; its rows were written and were taken out again, since no receipt proves that they are its own";
    report_in_doubt(owner->batch, rows->indices, why);
    run_->parts.env->log(log_level::error, "rows_withdrawn",
                         {log_field("job_id", *job_id), log_field("batch", owner->batch),
                          log_field("rows", std::uint64_t{rows->indices.size()})});
    std::vector<digest> keys = std::move(owner->keys);
    std::ranges::transform(rows->texts, std::back_inserter(keys), &input_digests::text);
    std::uint64_t counted = 0;
    disk_work taking_out;
    taking_out.work = [this, &counted, &keys, rows, &why]() -> result<void> {
        run_->saved.forget(
            keys);  // This goes first: without the receipt's line nobody sees later that there is anything to undo.
        const auto copies = run_->parts.sink->withdraw(rows->indices);
        if (!copies) {
            return copies.error();
        }
        counted = *copies + run_->reader.withdraw(rows->indices);
        run_->parts.sink->skip(rows->indices, why);
        return {};
    };
    co_await run_->on_disk(std::move(taking_out));
    run_->tally.rows_withdrawn += counted;
}

// The account's count never makes the run buy this batch again: its submission was accepted, so it is charged.
asio::awaitable<void> dispute_resolver::park(batch_task* task, error why, std::vector<journal_change> changes) {
    const batch* const item = &task->item;
    unknown_batch entry = run_->entry_of(*item, why);
    entry.job_id = why.job_id;
    const bool again = run_->in_doubt.add(std::move(entry)).resubmitted;
    disk_work parking;
    parking.changes = std::move(changes);
    if (again) {
        parking.changes.push_back(journal_change::forget(item->number));
    } else {
        parking.changes.push_back(journal_change::mark_unknown(item->number));
        parking.work = run_->leaving_out(item, why);
    }
    const step recorded = co_await run_->on_disk(std::move(parking));
    if (recorded == step::go_on && again) {
        task->requeue();
    }
}

asio::awaitable<void> dispute_resolver::note_stored(batch* item, bool proved) {
    job_owner* const owner = run_->jobs.find(*item);
    owner->reached = job_owner::stage::stored;
    owner->proved = proved;
    if (!proved && run_->parts.options->journal == nullptr) {
        owner->rows = core::ranges_of(item->indices);
    }
    if (!proved && run_->parts.options->cache != nullptr && !run_->parts.sink->keeps_digests()) {
        owner->keys = std::move(item->keys);
    }
    if (run_->jobs.is_disputed(*item)) {
        co_await settle(&item->job_id, owner);
    }
}

asio::awaitable<void> dispute_resolver::doubt(batch_task* task) {
    error why = two_submissions(task->item.job_id);
    std::vector<journal_change> changes;
    run_->jobs.find(task->item)->doubt(changes);
    task->item.job_id.clear();
    co_await park(task, std::move(why), std::move(changes));
}

}  // namespace vembed::bulk
