// The engine's way of a job: settled, fetched, checked and stored, or come to nothing.

#include <algorithm>
#include <iterator>
#include <utility>

#include "bulk/engine/engine.hpp"
#include "bulk/engine/reaction.hpp"

namespace vembed::bulk {
namespace {

constexpr std::uint32_t refunds_max = 2;
// Jobs that were bought and gave no rows that can be used, one after the other: more of them would not.
constexpr std::uint64_t bad_jobs_in_a_row_max = 10;

}  // namespace

// The next job may be submitted as soon as there is a place to store what this one brought: outputs in memory are as
// many as those places.
asio::awaitable<void> engine::make_way(job_place* place) {
    if (storing_) {
        const bool placed = co_await storing_->acquire(&place->storing);
        if (placed) {
            place->in_flight.release();
        }
    }
}

// Where the service cannot be reached, a stop ends the pause. False where the run is cancelled.
asio::awaitable<bool> engine::pause_before_asking(monotonic_time until, errc why) {
    runtime::wait_queue::place place(asking_);
    while (env_->now() < until && !(why == errc::network && asked_to_stop())) {
        const wait_outcome outcome = co_await place.wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return false;
        }
    }
    co_return true;
}

// Waits, fetches and checks once.
asio::awaitable<result<fetched_job>> engine::look_at(const batch* item, job_place* place, job_looks* looks,
                                                     look_stage* reached) {
    *reached = look_stage::settling;
    looks->checks.clear();
    const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), options_->job_timeout));
    const result<void> settled = co_await backend_->settle(item->job_id, until);
    if (!settled) {
        co_return settled.error();
    }
    *reached = look_stage::fetching;
    if (!looks->settled) {
        looks->settled.emplace(jobs_settled_);  // Before its place in flight is another's.
    }
    co_await make_way(place);
    std::vector<float> values;
    if (!spare_values_.empty()) {
        values = std::move(spare_values_.back());
        spare_values_.pop_back();
    }
    const monotonic_time fetched_by = std::min(deadline_, deadline_after(env_->now(), options_->job_timeout));
    looks->level = is_disputed(*item) ? verify_level::offline : options_->verify;
    result<fetched_job> fetched = co_await backend_->fetch(item->job_id, item->texts, looks->level, std::move(values),
                                                           &looks->checks, fetched_by);
    if (fetched && facts_.dimensions != 0 && facts_.dimensions != fetched->dimensions) {
        co_return failure(errc::protocol, "the job's output has " + std::to_string(fetched->dimensions) +
                                              " dimensions where earlier ones had " +
                                              std::to_string(facts_.dimensions));
    }
    co_return fetched;
}

job_standing engine::standing_of(const batch& item) const {
    if (journal_ == nullptr) {
        return job_standing::unjournalled;
    }
    const bool is_old = item.taken_up_of && env_->wall_now() - *item.taken_up_of >= job_patience::age_of_lost_min;
    return is_old ? job_standing::old : job_standing::fresh;
}

// With patience: only what asking again in this run does not mend is returned.
asio::awaitable<result<fetched_job>> engine::settle_and_fetch(const batch* item, job_place* place, job_looks* looks) {
    counted_job in_flight(jobs_in_flight_);
    job_patience patience(options_->visible_within, standing_of(*item));
    look_stage stage = look_stage::settling;
    for (;;) {
        result<fetched_job> fetched = co_await look_at(item, place, looks, &stage);
        if (stage == look_stage::fetching) {
            in_flight.leave();
        }
        if (fetched) {
            co_return fetched;
        }
        failure why = fetched.error();
        const bool incomplete = ranges_incomplete(looks->checks);
        const job_fault fault = fault_of(why, stage, incomplete);
        if ((fault == job_fault::contract || fault == job_fault::unproved) && !looks->suspect) {
            looks->suspect.emplace(suspects_);
        }
        const next_look next = patience.after(why, stage, incomplete, env_->now(), env_->random());
        looks->reaction = next.reaction;
        const bool in_time = next.after && deadline_after(env_->now(), *next.after) < deadline_;
        if (!in_time) {
            co_return why;
        }
        if (why.kind == errc::network && asked_to_stop()) {
            looks->reaction = job_reaction::leave;  // The job is journalled: whoever goes on takes it up.
            co_return why;
        }
        env_->log(log_level::info, "job_looked_at_again",
                  {log_field("job_id", item->job_id), log_field("reason", std::string(to_string(why.kind))),
                   log_field("ms", static_cast<std::uint64_t>(next.after->count()))});
        const monotonic_time again = deadline_after(env_->now(), *next.after);
        const bool undisturbed = co_await pause_before_asking(again, why.kind);
        if (!undisturbed) {
            looks->reaction = job_reaction::leave;
            co_return failure(errc::cancelled, "cancelled while a job was under way");
        }
    }
}

// A job that is left, or that the service does not know, must not take a place among those in flight for ever.
void engine::end_watch(const batch& item) {
    backend_->unwatch(item.job_id);
    if (job_owner* const owner = owner_of(item)) {
        owner->ended = true;
    }
}

asio::awaitable<void> engine::settle_and_store(batch* item, std::deque<batch>* todo, job_place* place) {
    job_looks looks;
    result<fetched_job> fetched = co_await settle_and_fetch(item, place, &looks);
    end_watch(*item);
    count(looks.checks);
    if (fetched && is_disputed(*item) && looks.level < verify_level::offline) {
        fetched = co_await settle_and_fetch(item, place, &looks);  // It may have been fetched before that was known.
    }
    if (!fetched) {
        looks.settled.reset();
        looks.suspect.reset();  // What is said of it now counts in its place.
    }
    const bool proved = fetched && inputs_are_proved(looks.checks);
    const bool withdrawn = !fetched && fetched.error().kind == errc::cancelled;
    if (is_disputed(*item) && !proved && !withdrawn) {
        co_await doubt(item, todo);
    } else if (fetched) {
        co_await store(item, std::move(*fetched), proved, todo);
    } else {
        co_await came_to_nothing(item, fetched.error(), looks.reaction, todo);
    }
    looks.settled.reset();
    looks.suspect.reset();
    suspicion_.wake_all();
}

// Where jobs were bad or failed a look, nothing is submitted while so many are not decided that all of them together
// would be enough to stop the buying. False where nothing is to be submitted any more.
asio::awaitable<bool> engine::await_suspects() {
    runtime::wait_queue::place place(suspicion_);
    while (!stopping() && bad_jobs_in_a_row_ + suspects_ > 0 &&
           bad_jobs_in_a_row_ + std::max(suspects_, jobs_settled_) >= bad_jobs_in_a_row_max) {
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return false;
        }
    }
    co_return !stopping();
}

// Rows of the cache and the rows that jobs bring must be of one model, whichever came first.
void engine::pin_cached() {
    if (counted_.spec_hash_of_cached.empty()) {
        return;
    }
    if (facts_.spec_hash.empty()) {
        facts_.spec_hash = counted_.spec_hash_of_cached;
    }
    if (facts_.spec_hash != counted_.spec_hash_of_cached) {
        give_up(failure(errc::model_changed, "the cache holds rows made under the specification " +
                                                 counted_.spec_hash_of_cached + ", this run's are made under " +
                                                 facts_.spec_hash +
                                                 ": start anew in another folder, without the cache or with another "
                                                 "one"));
    }
}

// Rows of two models must never mix. The job stays accepted: it is paid for, and another run may take it up.
bool engine::same_model(const fetched_job& fetched) {
    const std::string& first = facts_.spec_hash;
    if (!fetched.spec_hash.empty() && !first.empty() && fetched.spec_hash != first) {
        give_up(failure(errc::model_changed,
                        "the receipt of job " + fetched.proof.job_id + " names the specification " + fetched.spec_hash +
                            ", earlier rows of this run were made under " + first +
                            ": the service has changed the model; start anew in another folder" +
                            (counted_.rows_cached == 0 ? "" : ", without the cache or with another one")));
        return false;
    }
    if (facts_.spec_hash.empty()) {
        facts_.spec_hash = fetched.spec_hash;
    }
    facts_.dimensions = fetched.dimensions;
    report_.dimensions = fetched.dimensions;
    return true;
}

result<void> engine::write(const batch& item, const fetched_job& fetched) {
    if (auto proved = sink_->prove(fetched.proof); !proved) {
        return proved;
    }
    row_batch rows;
    rows.batch = item.number;
    rows.indices = item.indices;
    rows.dimensions = fetched.dimensions;
    rows.values = fetched.values;
    if (auto written = sink_->write(rows); !written) {
        return written;
    }
    reader_.wrote(item.indices);
    saved_.keep(item.keys, rows, fetched.spec_hash);
    return {};
}

// What the journal learns once the batch's rows are durable. The results show the chunks of a job whose acceptance did
// not say them.
std::vector<journal_change> engine::completion_of(batch* item, std::uint64_t chunks_shown) {
    std::vector<journal_change> changes;
    job_owner& owner = *owner_of(*item);
    const bool corrected = item->chunks_guessed && chunks_shown > 0 && chunks_shown < item->chunks;
    if (corrected) {
        const std::uint64_t excess = item->chunks - chunks_shown;
        item->chunks = chunks_shown;
        item->chunks_guessed = false;
        report_.chunks_used -= excess;
        report_.narrowing_chunks -= item->narrowing ? excess : 0;
        budget_.wake_all();
        if (owner.journalled == job_owner::standing::held) {
            changes.push_back(journal_change::doubt(item->number));  // To be accepted anew, in the same commit.
        }
    }
    if (corrected || owner.journalled == job_owner::standing::doubted) {
        changes.push_back(journal_change::accept(item->number, item->job_id, item->chunks));
    }
    owner.journalled = job_owner::standing::held;
    changes.push_back(journal_change::complete(item->number));
    return changes;
}

asio::awaitable<void> engine::store(batch* item, fetched_job fetched, bool proved, std::deque<batch>* todo) {
    if (!same_model(fetched)) {
        co_return;
    }
    fetched.proof.batch = item->number;
    fetched.proof.indices = item->indices;
    co_await tell_size(fetched.dimensions);  // Where there is no room nothing more is bought; these rows are.
    if (is_disputed(*item) && !proved) {     // Since then.
        co_await doubt(item, todo);
        co_return;
    }
    disk_work what;
    what.work = [this, item, &fetched] { return write(*item, fetched); };
    what.changes = completion_of(item, fetched.chunks);
    what.flush_first = true;  // The journal may say "done" only of rows that survive a power cut.
    note_facts(what.changes);
    const bool stored = co_await on_disk(std::move(what));
    spare_values_.push_back(std::move(fetched.values));
    if (stored) {
        bad_jobs_in_a_row_ = 0;
        rows_done_now_ += item->indices.size();
        report_.chunks_sampled += fetched.chunks_sampled;
        ++report_.jobs;
        co_await note_stored(item, proved);
    }
}

asio::awaitable<void> engine::came_to_nothing(batch* item, failure why, job_reaction reaction,
                                              std::deque<batch>* todo) {
    switch (reaction) {
        case job_reaction::fail_rows: co_await narrow(item, std::move(why), todo); break;
        case job_reaction::resubmit: co_await refunded(item, std::move(why), todo); break;
        case job_reaction::withhold:
            ++report_.jobs_unverified;
            job_was_bad(why);
            co_await fail_whole(item, std::move(why), item->chunks);
            break;
        case job_reaction::lost: co_await park(item, std::move(why), todo); break;
        case job_reaction::set_aside:
            job_was_bad(why);
            co_await leave(item, std::move(why), true);
            break;
        case job_reaction::try_again:
        case job_reaction::leave:
            if (why.kind == errc::cancelled) {
                // What fetches a job ends its children first, and this coroutine no longer knows that it was cancelled.
                give_up(run_cancelled());
            }
            co_await leave(item, std::move(why), false);
            break;
        case job_reaction::give_up: give_up(why); break;
    }
}

// What is wrong with every job is not mended by buying another.
void engine::job_was_bad(const failure& why) {
    if (++bad_jobs_in_a_row_ == bad_jobs_in_a_row_max) {
        stop(stop_reason::faulty_jobs, std::to_string(bad_jobs_in_a_row_max) +
                                           " jobs in a row gave no rows that can be used, so no more are bought (the "
                                           "last: " +
                                           why.message + ")");
    }
}

// The job stays in flight: the run that continues this one takes it up.
asio::awaitable<void> engine::leave(const batch* item, failure why, bool at_fault) {
    const bool by_stop = asked_to_stop() && why.kind == errc::network;  // Nothing is wrong with the job.
    if (!by_stop) {
        job_left left;
        left.batch = item->number;
        left.job_id = item->job_id;
        left.rows = item->indices;
        left.at_fault = at_fault;
        left.check_failed = at_fault && why.kind == errc::verification_failed;
        left.reason = why.message;
        report_.jobs_left.push_back(std::move(left));
    }
    env_->log(by_stop ? log_level::info : log_level::warning, "job_left",
              {log_field("batch", item->number), log_field("job_id", item->job_id),
               log_field("reason", std::string(to_string(why.kind))),
               log_field("status", static_cast<std::uint64_t>(std::max(why.http_status, 0)))});
    disk_work leaving;
    leaving.work = [this, item, why]() -> result<void> {
        sink_->leave_out(item->indices, why);
        return {};
    };
    co_await on_disk(std::move(leaving));
}

asio::awaitable<void> engine::refunded(batch* item, failure why, std::deque<batch>* todo) {
    facts_.jobs_came_to_nothing = true;
    if (++item->refunds >= refunds_max) {
        job_was_bad(why);
        co_await fail_whole(item, std::move(why), 0);
        co_return;
    }
    const bool forgotten = co_await forget(item);
    if (forgotten) {
        todo->push_front(part_of(*item, 0, item->indices.size()));
    }
}

// The job gave nothing for any of its rows. Those outside its failed chunks are submitted anew, those within are
// narrowed down.
asio::awaitable<void> engine::narrow(batch* item, failure why, std::deque<batch>* todo) {
    facts_.jobs_came_to_nothing = true;
    std::vector<failed_chunk> bad = why.failed_chunks;
    std::sort(bad.begin(), bad.end(),
              [](const failed_chunk& a, const failed_chunk& b) { return a.row_start < b.row_start; });
    const std::size_t rows = item->indices.size();
    if (bad.empty()) {
        failed_chunk all;
        all.row_end = rows;
        bad.push_back(std::move(all));
    }
    std::size_t at = 0;
    std::deque<batch> again;
    std::vector<failed_row> lost;
    for (const failed_chunk& chunk : bad) {
        const std::size_t first = std::clamp<std::size_t>(chunk.row_start, at, rows);
        const std::size_t last = std::clamp<std::size_t>(chunk.row_end, first, rows);
        if (first > at) {
            again.push_back(part_of(*item, at, first));
            again.back().narrowing = false;
        }
        if (last > first) {
            narrow_rows(*item, first, last, why, again, lost);
        }
        at = last;
    }
    if (at < rows) {
        again.push_back(part_of(*item, at, rows));
        again.back().narrowing = false;
    }
    if (lost.size() == rows && !item->narrowing) {
        job_was_bad(why);  // What narrowing may spend is bounded, and a part that is at fault is what it looks for.
    }
    const bool forgotten = co_await fail_job(item, std::move(lost), item->chunks);
    if (forgotten) {
        std::move(again.begin(), again.end(), std::back_inserter(*todo));
    }
}

// Rows one or more of which made their job fail: halves of them are tried `again`, as long as the budget for that
// lasts; then they are `lost`.
void engine::narrow_rows(const batch& item, std::size_t first, std::size_t last, failure why, std::deque<batch>& again,
                         std::vector<failed_row>& lost) {
    const std::size_t middle = first + (last - first) / 2;
    const std::uint64_t price = backend_->chunks_at_most(middle - first) + backend_->chunks_at_most(last - middle);
    const std::uint64_t left =
        options_->max_narrowing_chunks - std::min(narrowing_chunks_planned_, options_->max_narrowing_chunks);
    if (last - first > 1 && price <= left) {
        narrowing_chunks_planned_ += price;
        again.push_back(part_of(item, first, middle));
        again.back().narrowing = true;
        again.push_back(part_of(item, middle, last));
        again.back().narrowing = true;
        return;
    }
    if (last - first > 1) {
        why.message += "; which of the " + std::to_string(last - first) +
                       " rows is at fault was not looked for any further (max_narrowing_chunks)";
    }
    std::vector<failed_row> rows = failed_rows_of(item, first, last, why);
    std::move(rows.begin(), rows.end(), std::back_inserter(lost));
}

// One commit for the rows and their job: a process that died in between would leave rows that have failed in a job that
// is judged again, and may be submitted again.
asio::awaitable<bool> engine::fail_job(const batch* item, std::vector<failed_row> rows, std::uint64_t chunks_charged) {
    leaves_journal(*item);
    std::vector<journal_change> changes;
    changes.push_back(journal_change::forget(item->number, chunks_charged));
    note_facts(changes);
    co_return co_await fail_rows(std::move(rows), std::move(changes));
}

asio::awaitable<void> engine::fail_whole(const batch* item, failure why, std::uint64_t chunks_charged) {
    std::vector<failed_row> rows = failed_rows_of(*item, 0, item->indices.size(), why);
    co_await fail_job(item, std::move(rows), chunks_charged);
}

asio::awaitable<bool> engine::fail_rows(std::vector<failed_row> rows, std::vector<journal_change> changes) {
    if (!rows.empty() && options_->on_error == error_policy::stop) {
        give_up(rows.front().reason);
        co_return false;
    }
    for (const failed_row& row : rows) {
        changes.push_back(journal_change::fail_row(row.index));
    }
    disk_work failing;
    failing.changes = std::move(changes);
    failing.flush_first = !rows.empty();
    failing.work = [this, rows = std::move(rows)] { return reader_.give_up(rows); };
    co_return co_await on_disk(std::move(failing));
}

}  // namespace vembed::bulk
