#include "bulk/engine/settler.hpp"

#include <algorithm>
#include <iterator>

#include "bulk/values/narrowing.hpp"
#include "bulk/values/reaction.hpp"
#include "core/row_ranges.hpp"

namespace vembed::bulk {
namespace {

constexpr std::uint32_t refunds_max = 2;

bool inputs_are_proved(const std::vector<offline_check>& checks) {
    return std::ranges::any_of(checks, [](const offline_check& check) {
        return check.name == "inputs_root" && check.verdict == check_verdict::verified;
    });
}

}  // namespace

// The next job may be submitted as soon as there is a slot to store what this one brought. The number of those slots
// limits the outputs in memory.
asio::awaitable<void> settler::make_way(batch_task* task) {
    if (storing_) {
        const bool granted = co_await storing_->acquire(&task->storing);
        if (granted) {
            task->in_flight.release();
        }
    }
}

// Waits for the job, fetches it and checks it, once.
asio::awaitable<result<fetched_job>> settler::look_at(batch_task* task, job_looks* looks) {
    const run_parts& parts = run_->parts;
    const batch& item = task->item;
    looks->stage = look_stage::settling;
    looks->checks.clear();
    const monotonic_time until = parts.within(parts.options->job_timeout);
    const result<void> settled = co_await parts.backend->settle(item.job_id, until);
    if (!settled) {
        co_return settled.error();
    }
    looks->stage = look_stage::fetching;
    if (!looks->settled) {
        looks->settled.emplace(run_->tally.jobs_settled);  // Counted before its slot in flight goes to another job.
    }
    co_await make_way(task);
    std::vector<float> values;
    if (!spare_values_.empty()) {
        values = std::move(spare_values_.back());
        spare_values_.pop_back();
    }
    const monotonic_time fetched_by = parts.within(parts.options->job_timeout);
    looks->level = run_->jobs.is_disputed(item) ? verify_level::offline : parts.options->verify;
    result<fetched_job> fetched = co_await parts.backend->fetch(item.job_id, item.texts, looks->level,
                                                                std::move(values), &looks->checks, fetched_by);
    if (fetched) {
        if (const auto refused = run_->model.refuse_output(fetched->dimensions)) {
            co_return *refused;
        }
    }
    co_return fetched;
}

job_standing settler::standing_of(const batch& item) const {
    if (run_->parts.options->journal == nullptr) {
        return job_standing::unjournalled;
    }
    const wall_time now = run_->parts.env->wall_now();
    const bool is_old = item.taken_up_of && now - *item.taken_up_of >= job_patience::age_of_lost_min;
    return is_old ? job_standing::old : job_standing::fresh;
}

// Decides what follows a look that brought no rows. A job that failed a look holds submissions until that is known.
next_look settler::judge(const error& why, job_looks* looks, job_patience* patience) {
    const run_parts& parts = run_->parts;
    const bool incomplete = ranges_incomplete(looks->checks);
    const job_fault fault = fault_of(why, looks->stage, incomplete);
    if ((fault == job_fault::contract || fault == job_fault::unproved) && !looks->suspect) {
        looks->suspect.emplace(run_->tally.suspects);
    }
    next_look next = patience->after(why, looks->stage, incomplete, parts.now(), parts.env->random());
    if (next.after && deadline_after(parts.now(), *next.after) >= parts.deadline) {
        next.after.reset();
    } else if (next.after && why.kind == errc::network && run_->end.asked_to_stop()) {
        next.after.reset();
        next.reaction = job_reaction::leave;  // The job is journalled: a later run takes it up.
    }
    return next;
}

// Looks again with patience: an error is returned only if asking again in this run does not mend it.
asio::awaitable<result<fetched_job>> settler::fetch_patiently(batch_task* task, job_looks* looks) {
    counted_job in_flight(run_->tally.jobs_in_flight);
    job_patience patience(run_->parts.options->visible_within, standing_of(task->item));
    looks->stage = look_stage::settling;
    for (;;) {
        result<fetched_job> fetched = co_await look_at(task, looks);
        if (looks->stage == look_stage::fetching) {
            in_flight.leave();
        }
        if (fetched) {
            co_return fetched;
        }
        error why = fetched.error();
        const next_look next = judge(why, looks, &patience);
        looks->reaction = next.reaction;
        if (!next.after) {
            co_return why;
        }
        run_->parts.env->log(
            log_level::info, "job_looked_at_again",
            {log_field("job_id", task->item.job_id), log_field("reason", std::string(to_string(why.kind))),
             log_field("ms", static_cast<std::uint64_t>(next.after->count()))});
        const monotonic_time again = deadline_after(run_->parts.now(), *next.after);
        const step undisturbed = co_await run_->pause_before_asking(again, why.kind);
        if (undisturbed == step::over) {
            looks->reaction = job_reaction::leave;
            co_return error(errc::cancelled, "cancelled while a job was under way");
        }
    }
}

// A job that is left, or that the service does not know, must not count among those in flight for ever.
void settler::end_watch(const batch& item) {
    run_->parts.backend->unwatch(item.job_id);
    run_->jobs.end(item);
}

asio::awaitable<void> settler::settle(batch_task* task) {
    const batch& item = task->item;
    job_looks looks;
    result<fetched_job> fetched = co_await fetch_patiently(task, &looks);
    end_watch(item);
    run_->tally.count(looks.checks);
    if (fetched && run_->jobs.is_disputed(item) && looks.level < verify_level::offline) {
        fetched = co_await fetch_patiently(task, &looks);  // It may have been fetched before the dispute was known.
    }
    if (!fetched) {
        looks.settled.reset();
        looks.suspect.reset();  // The outcome now counts in its place.
    }
    const bool proved = fetched && inputs_are_proved(looks.checks);
    const bool withdrawn = !fetched && fetched.error().kind == errc::cancelled;
    if (run_->jobs.is_disputed(item) && !proved && !withdrawn) {
        co_await disputes_->doubt(task);
    } else if (fetched) {
        co_await store(task, std::move(*fetched), proved);
    } else {
        co_await handle_job_failure(task, fetched.error(), looks.reaction);
    }
    looks.settled.reset();
    looks.suspect.reset();
    run_->lines.suspicion.wake_all();
}

result<void> settler::write(const batch& item, const fetched_job& fetched) {
    row_sink* const sink = run_->parts.sink;
    if (auto proved = sink->write_receipt(fetched.proof); !proved) {
        return proved;
    }
    row_batch rows;
    rows.batch = item.number;
    rows.indices = item.indices;
    rows.dimensions = fetched.dimensions;
    rows.values = fetched.values;
    if (auto written = sink->write(rows); !written) {
        return written;
    }
    run_->reader.wrote(item.indices);
    run_->saved.keep(item.keys, rows, fetched.spec_hash);
    return {};
}

// Makes the changes that the journal learns once the batch's rows are durable. If the acceptance of a job did not say
// its chunks, the results show them.
std::vector<journal_change> settler::completion_of(batch* item, std::uint64_t chunks_shown) {
    const bool corrected = item->chunks_guessed && chunks_shown > 0 && chunks_shown < item->chunks;
    if (corrected) {
        run_->budget.correct(item->chunks - chunks_shown, item->narrowing);
        item->chunks = chunks_shown;
        item->chunks_guessed = false;
        run_->lines.budget.wake_all();
    }
    std::vector<journal_change> changes;
    run_->jobs.find(*item)->complete(*item, corrected, changes);
    return changes;
}

// A receipt of another model ends the run before a row is stored. The job stays accepted: it is paid for, and another
// run may take it up.
asio::awaitable<void> settler::store(batch_task* task, fetched_job fetched, bool proved) {
    batch* const item = &task->item;
    const bool cache_in_use = run_->counted.rows_cached > 0;
    if (const auto other =
            run_->model.admit(fetched.proof.job_id, fetched.spec_hash, fetched.dimensions, cache_in_use)) {
        run_->end.give_up(*other);
        co_return;
    }
    fetched.proof.batch = item->number;
    fetched.proof.indices = item->indices;
    co_await run_->tell_size(fetched.dimensions);    // If the sink has no room, nothing more is bought; these rows are.
    if (run_->jobs.is_disputed(*item) && !proved) {  // The dispute began meanwhile.
        co_await disputes_->doubt(task);
        co_return;
    }
    disk_work what;
    what.work = [this, item, &fetched] { return write(*item, fetched); };
    what.changes = completion_of(item, fetched.chunks);
    what.flush_first = true;  // The journal may say "done" only of rows that survive a power cut.
    run_->note_facts(what.changes);
    const step stored = co_await run_->on_disk(std::move(what));
    spare_values_.push_back(std::move(fetched.values));
    if (stored == step::go_on) {
        run_->streak.job_stored();
        run_->tally.rows_done += item->indices.size();
        run_->tally.chunks_sampled += fetched.chunks_sampled;
        ++run_->tally.jobs;
        co_await disputes_->note_stored(item, proved);
    }
}

asio::awaitable<void> settler::handle_job_failure(batch_task* task, error why, job_reaction reaction) {
    const batch* const item = &task->item;
    switch (reaction) {
        case job_reaction::fail_rows: co_await narrow(task, std::move(why)); break;
        case job_reaction::resubmit: co_await refunded(task, std::move(why)); break;
        case job_reaction::withhold:
            ++run_->tally.jobs_unverified;
            run_->job_was_bad(why);
            co_await fail_whole(item, std::move(why), item->chunks);
            break;
        case job_reaction::lost: co_await in_doubt_->park(task, std::move(why)); break;
        case job_reaction::set_aside:
            run_->job_was_bad(why);
            co_await leave(item, std::move(why), reaction);
            break;
        case job_reaction::try_again:
        case job_reaction::leave:
            if (why.kind == errc::cancelled) {
                // The code that fetches a job ends its children first, so this coroutine no longer knows that it was
                // cancelled.
                run_->end.give_up(run_cancelled());
            }
            co_await leave(item, std::move(why), reaction);
            break;
        case job_reaction::give_up: run_->end.give_up(why); break;
    }
}

// The job stays in flight: the run that continues this one takes it up.
asio::awaitable<void> settler::leave(const batch* item, error why, job_reaction reaction) {
    const bool by_stop = run_->end.asked_to_stop() && why.kind == errc::network;  // Nothing is wrong with the job.
    if (!by_stop) {
        job_left& left = run_->tally.left.emplace_back();
        left.batch = item->number;
        left.job_id = item->job_id;
        left.rows = core::ranges_of(item->indices);
        left.at_fault = reaction == job_reaction::set_aside;
        left.check_failed = left.at_fault && why.kind == errc::verification_failed;
        left.reason = why.message;
    }
    run_->parts.env->log(by_stop ? log_level::info : log_level::warning, "job_left",
                         {log_field("batch", item->number), log_field("job_id", item->job_id),
                          log_field("reason", std::string(to_string(why.kind))),
                          log_field("status", static_cast<std::uint64_t>(std::max(why.http_status, 0)))});
    disk_work leaving;
    leaving.work = run_->leaving_out(item, why);
    co_await run_->on_disk(std::move(leaving));
}

asio::awaitable<void> settler::refunded(batch_task* task, error why) {
    run_->charges.job_came_to_nothing();
    if (++task->item.refunds >= refunds_max) {
        run_->job_was_bad(why);
        co_await fail_whole(&task->item, std::move(why), 0);
        co_return;
    }
    const step forgotten = co_await run_->forget(&task->item);
    if (forgotten == step::go_on) {
        task->requeue();
    }
}

asio::awaitable<void> settler::narrow(batch_task* task, error why) {
    const batch& item = task->item;
    run_->charges.job_came_to_nothing();
    narrowing plan = narrow_failed(item, why, run_->parts.rows_per_chunk(), &run_->budget);
    if (plan.lost.size() == item.indices.size() && !item.narrowing) {
        run_->job_was_bad(why);  // A part that is narrowed is expected to fail, and its cost is bounded.
    }
    const step failed = co_await fail_job(&item, std::move(plan.lost), item.chunks);
    if (failed == step::go_on) {
        std::move(plan.again.begin(), plan.again.end(), std::back_inserter(task->again));
    }
}

// The rows and their job go into one commit. If a process died between two commits, rows that have failed would be left
// in a job that is judged again and may be submitted again.
asio::awaitable<step> settler::fail_job(const batch* item, std::vector<failed_row> rows, std::uint64_t chunks_charged) {
    run_->jobs.leaves_journal(*item);
    std::vector<journal_change> changes;
    changes.push_back(journal_change::forget(item->number, chunks_charged));
    run_->note_facts(changes);
    co_return co_await run_->fail_rows(std::move(rows), std::move(changes));
}

asio::awaitable<void> settler::fail_whole(const batch* item, error why, std::uint64_t chunks_charged) {
    std::vector<failed_row> rows = failed_rows_of(*item, 0, item->indices.size(), why);
    co_await fail_job(item, std::move(rows), chunks_charged);
}

}  // namespace vembed::bulk
