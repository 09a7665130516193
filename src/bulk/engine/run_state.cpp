#include "bulk/engine/run_state.hpp"

#include "bulk/check_counts.hpp"

namespace vembed::bulk {
namespace {

reader_parts parts_of_reader(run_state* run) {
    reader_parts parts;
    parts.source = &run->fed;
    parts.fed_by = &run->fed;
    parts.sink = run->parts.sink;
    parts.journal = run->parts.options->journal;
    parts.saved = run->parts.options->cache != nullptr ? &run->saved : nullptr;
    parts.on_error = run->parts.options->on_error;
    return parts;
}

}  // namespace

void batch_task::cut(std::uint64_t rows) {
    const std::size_t all = item.indices.size();
    if (rows < all) {
        again.push_front(part_of(item, static_cast<std::size_t>(rows), all));
        item = part_of(item, 0, static_cast<std::size_t>(rows));
    }
}

void run_tally::count(const std::vector<offline_check>& of_a_job) {
    for (const offline_check& check : of_a_job) {
        check_count& counted = count_check(checks, check);
        if (check.verdict != check_verdict::not_checkable) {
            counted.basis = check.basis_text();
        }
    }
}

run_state::run_state(run_parts called_with)
    : parts(std::move(called_with)),
      lines(parts.executor, parts.env),
      end(parts.backend, &lines),
      budget(*parts.options),
      charges(*parts.options),
      rows_total(parts.source.size_hint()),
      reader(parts_of_reader(this)),
      disk_(parts.env, parts.sink, parts.options->journal) {}

void run_state::adopt(const prior_run& prior) {
    recorded_ = prior.facts;
    model.adopt(prior.facts);
    charges.adopt(prior.facts);
    budget.adopt_charged(prior.chunks_charged, prior.facts);
    next_batch = prior.next_batch;
}

asio::awaitable<step> run_state::on_disk(disk_work what) {
    reader_counts now;
    what.work = [this, &now, inner = std::move(what.work)] {
        result<void> done = inner ? inner() : result<void>();
        now = reader.counts();
        return done;
    };
    const result<void> done = co_await disk_.run(std::move(what));
    counted = now;
    if (!done) {
        end.give_up(done.error());
    }
    co_return done ? step::go_on : step::over;
}

void run_state::note_facts(std::vector<journal_change>& changes) {
    run_facts facts = recorded_;
    model.write_to(facts);
    charges.write_to(facts);
    facts.extra_chunks = budget.extra();
    if (parts.rows_per_chunk() > 0) {
        facts.rows_per_chunk = parts.rows_per_chunk();
    }
    if (parts.options->journal != nullptr && facts != recorded_) {
        changes.push_back(journal_change::remember(facts));
        recorded_ = facts;
    }
}

asio::awaitable<step> run_state::record(journal_change change) {
    if (parts.options->journal == nullptr) {
        co_return step::go_on;
    }
    disk_work what;
    what.changes.push_back(std::move(change));
    note_facts(what.changes);
    co_return co_await on_disk(std::move(what));
}

asio::awaitable<step> run_state::forget(const batch* item) {
    jobs.leaves_journal(*item);
    journal_change change = journal_change::forget(item->number);
    co_return co_await record(std::move(change));
}

asio::awaitable<step> run_state::fail_rows(std::vector<failed_row> rows, std::vector<journal_change> changes) {
    if (!rows.empty() && parts.options->on_error == error_policy::stop) {
        end.give_up(rows.front().reason);
        co_return step::over;
    }
    for (const failed_row& row : rows) {
        changes.push_back(journal_change::fail_row(row.index));
    }
    disk_work failing;
    failing.changes = std::move(changes);
    failing.flush_first = !rows.empty();
    failing.work = [this, rows = std::move(rows)] { return reader.give_up(rows); };
    co_return co_await on_disk(std::move(failing));
}

std::function<result<void>()> run_state::leaving_out(const batch* item, const error& why) const {
    return [sink = parts.sink, item, why]() -> result<void> {
        sink->skip(item->indices, why);
        return {};
    };
}

// The sink can say before anything is paid that it has no room for the whole result.
asio::awaitable<step> run_state::tell_size(std::uint64_t dimensions) {
    if (!model.size_is_due(rows_total, dimensions)) {
        co_return step::go_on;
    }
    disk_work telling;
    telling.work = [this, rows = *rows_total, dimensions] { return parts.sink->reserve(rows, dimensions); };
    co_return co_await on_disk(std::move(telling));
}

void run_state::first_job_shown() {
    if (first.show()) {
        lines.first_job.wake_all();
    }
}

// If every job is bad, buying another one mends nothing.
void run_state::job_was_bad(const error& why) {
    if (streak.job_was_bad() == streak_verdict::stop) {
        end.stop(stop_reason::faulty_jobs, std::to_string(job_streak::bad_jobs_max) +
                                               " jobs in a row gave no rows that can be used, so no more are bought "
                                               "(the last: " +
                                               why.message + ")");
    }
}

asio::awaitable<step> run_state::wait_in(runtime::wait_queue* line, std::function<bool()> held, monotonic_time until) {
    runtime::wait_queue::place place(*line);
    while (parts.now() < until && held()) {
        const wait_outcome outcome = co_await place.wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return step::over;
        }
    }
    co_return step::go_on;
}

asio::awaitable<step> run_state::pause_before_asking(monotonic_time until, errc why) {
    std::function<bool()> held = [this, why] { return why != errc::network || !end.asked_to_stop(); };
    co_return co_await wait_in(&lines.asking, std::move(held), until);
}

policy::packing_limits run_state::packing() const {
    policy::packing_limits now = limits;
    now.rows_per_chunk = parts.rows_per_chunk();
    return now;
}

intent_times run_state::times() const {
    intent_times now;
    now.wall_now = parts.env->wall_now();
    now.now = parts.now();
    now.margin = recording_max + parts.backend->sending_max();
    return now;
}

unknown_batch run_state::entry_of(const batch& item, const error& why) {
    return in_doubt_batches::entry_of(item, why.message, parts.rows_per_chunk(), &budget);
}

}  // namespace vembed::bulk
