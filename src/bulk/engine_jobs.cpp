// The engine's way of a batch: submitted, settled, fetched, stored, or come to nothing.

#include <algorithm>
#include <utility>

#include "bulk/engine.hpp"
#include "bulk/reaction.hpp"
#include "bulk/row_ranges.hpp"
#include "policy/backoff.hpp"

namespace vembed::bulk {
namespace {

// An accepted job is paid for: it is asked for again for minutes before it is left to a later run.
policy::backoff_options patience() {
    policy::backoff_options options;
    options.delay_ms_first = std::chrono::seconds(1);
    options.delay_ms_max = std::chrono::seconds(60);
    options.tries_max = 8;
    return options;
}

// A second look tells damage on the way from damage at the source, and may say which chunks of a job failed.
constexpr std::uint32_t looks_max = 2;
constexpr std::uint32_t refunds_max = 2;
// Rows refused one by one with nothing accepted in between: it is not the rows.
constexpr std::uint64_t rows_refused_in_a_row_max = 20;

}  // namespace

// How many of `rows` one job takes, by what is known of a row's cost.
std::uint64_t engine::rows_in_a_job(std::uint64_t rows) const {
    const std::uint64_t most = std::min(rows, limits_.rows);
    const std::uint64_t chunks = backend_->estimate_chunks(most);
    if (!max_chunks_per_job_ || chunks <= *max_chunks_per_job_) {
        return most;
    }
    return std::max<std::uint64_t>(1, most * *max_chunks_per_job_ / chunks);
}

// How many of `rows` can be submitted without going over the budget whatever they cost. What is not known to be free
// is taken as charged.
std::uint64_t engine::rows_in_budget(std::uint64_t rows) const {
    const std::uint64_t spoken_for = report_.chunks_used + chunks_submitting_ + chunks_unknown_;
    const std::uint64_t left = *options_->max_chunks - std::min(spoken_for, *options_->max_chunks);
    std::uint64_t fits = 0;
    std::uint64_t too_many = rows + 1;
    while (too_many - fits > 1) {
        const std::uint64_t middle = fits + (too_many - fits) / 2;
        (backend_->chunks_at_most(middle) <= left ? fits : too_many) = middle;
    }
    return fits;
}

void engine::cut(batch* item, std::uint64_t rows, std::deque<batch>* todo) {
    const std::size_t all = item->indices.size();
    if (rows < all) {
        todo->push_front(part_of(*item, static_cast<std::size_t>(rows), all));
        *item = part_of(*item, 0, static_cast<std::size_t>(rows));
    }
}

// Cuts a batch down to what is known to fit now: it may have been read before the first replies. False where nothing
// is to be submitted any more.
asio::awaitable<bool> engine::fit(batch* item, std::deque<batch>* todo) {
    cut(item, rows_in_a_job(item->indices.size()), todo);
    if (!options_->max_chunks) {
        co_return true;
    }
    runtime::wait_queue::place place(budget_);
    while (!stopping()) {
        const std::uint64_t rows = rows_in_budget(item->indices.size());
        if (rows > 0) {
            cut(item, rows, todo);
            co_return true;
        }
        if (chunks_submitting_ == 0) {
            stop(stop_reason::chunk_budget, "the chunk budget of this run is used up");
            break;
        }
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            break;
        }
    }
    co_return false;
}

asio::awaitable<result<void>> engine::record_intent(batch* item, std::uint64_t chunks) {
    item->number = next_batch_++;
    if (journal_ == nullptr) {
        co_return result<void>();
    }
    std::function<result<void>()> intend = [this, item, chunks] {
        return journal_->intend(item->number, ranges_of(item->indices), chunks);
    };
    const bool recorded = co_await on_disk(std::move(intend));
    if (!recorded) {
        co_return *fatal_;
    }
    co_return result<void>();
}

// True when the batch is in flight as a job.
asio::awaitable<bool> engine::submit(batch* item, std::deque<batch>* todo) {
    const bool fits = co_await fit(item, todo);
    if (!fits) {
        co_return false;
    }
    const std::uint64_t chunks = backend_->chunks_at_most(item->indices.size());
    chunks_submitting_ += chunks;
    const result<void> recorded = co_await record_intent(item, chunks);
    const bool ended = co_await cancelled();
    if (!recorded || ended) {
        chunks_submitting_ -= chunks;
        if (recorded) {
            co_await forget(item);
        }
        co_return false;
    }
    result<submitted_job> submitted = co_await backend_->submit(item->texts, deadline_);
    chunks_submitting_ -= chunks;
    report_.chunks_used += submitted ? submitted->chunks : 0;
    chunks_unknown_ += !submitted && submitted.error().kind == errc::outcome_unknown ? chunks : 0;
    budget_.wake_all();
    if (!submitted) {
        co_await refused(item, submitted.error(), todo);
        co_return false;
    }
    co_return co_await accepted(item, std::move(*submitted));
}

asio::awaitable<bool> engine::accepted(batch* item, submitted_job job) {
    item->job_id = std::move(job.id);
    rows_refused_in_a_row_ = 0;
    first_job_shown();
    if (journal_ == nullptr) {
        co_return true;
    }
    const std::uint64_t chunks = job.chunks;
    std::function<result<void>()> accept = [this, item, chunks] {
        return journal_->accept(item->number, item->job_id, chunks);
    };
    const bool recorded = co_await on_disk(std::move(accept));
    if (!recorded) {
        env_->log(log_level::error, "job_not_recorded",
                  {log_field("batch", item->number), log_field("job_id", item->job_id)});
    }
    co_return recorded;
}

asio::awaitable<void> engine::forget(const batch* item) {
    if (journal_ == nullptr) {
        co_return;
    }
    std::function<result<void>()> remove = [this, item] { return journal_->forget(item->number); };
    co_await on_disk(std::move(remove));
}

asio::awaitable<void> engine::refused(batch* item, failure why, std::deque<batch>* todo) {
    const submit_reaction reaction = react_to_submit(why.kind);
    if (reaction == submit_reaction::park) {
        co_await park(item, std::move(why), todo);
        co_return;
    }
    co_await forget(item);
    switch (reaction) {
        case submit_reaction::split: co_await split(item, std::move(why), todo); break;
        case submit_reaction::stop_quota: stop(stop_reason::quota, why.message, why.retry_after); break;
        case submit_reaction::stop_busy: stop(stop_reason::service_busy, why.message, why.retry_after); break;
        case submit_reaction::withdrawn:
            if (!stopping()) {
                give_up(why);
            }
            break;
        case submit_reaction::park:
        case submit_reaction::give_up: give_up(why); break;
    }
}

// Sent and not answered: the job may exist and be charged, or not. Or accepted, and gone from the service since: then
// it stays what the journal has it for, and a later run asks for it once more.
asio::awaitable<void> engine::park(batch* item, failure why, std::deque<batch>* todo) {
    unknown_batch unknown;
    unknown.batch = item->number;
    unknown.rows = item->indices;
    unknown.chunks_estimated = backend_->chunks_at_most(item->indices.size());
    unknown.reason = why.message;
    unknown.resubmitted = may_resubmit(unknown.chunks_estimated);
    const bool again = unknown.resubmitted;
    env_->log(log_level::warning, "batch_unknown",
              {log_field("batch", item->number), log_field("rows", item->indices.size()),
               log_field("resubmitted", std::string(again ? "yes" : "no"))});
    report_.unknown.push_back(std::move(unknown));
    if (again) {
        co_await forget(item);
        todo->push_front(part_of(*item, 0, item->indices.size()));
        co_return;
    }
    rows_parked_ += item->indices.size();
    if (options_->on_unknown == unknown_policy::resubmit && item->job_id.empty()) {
        set_aside_.emplace_back(report_.unknown.size() - 1, part_of(*item, 0, item->indices.size()));
        set_aside_.back().second.number = item->number;
    }
    if (journal_ != nullptr && item->job_id.empty()) {
        std::function<result<void>()> mark = [this, item] { return journal_->mark_unknown(item->number); };
        co_await on_disk(std::move(mark));
    }
}

// Batches that were too dear to submit again as long as nothing had shown what a chunk takes.
asio::awaitable<void> engine::reconsider_set_aside() {
    const std::shared_ptr<engine> self = shared_from_this();  // As in work().
    for (std::size_t i = 0; i < set_aside_.size() && !stopping(); ++i) {
        unknown_batch& unknown = report_.unknown[set_aside_[i].first];
        batch again = std::move(set_aside_[i].second);
        const std::uint64_t chunks = backend_->chunks_at_most(again.indices.size());
        if (!may_resubmit(chunks)) {
            continue;
        }
        unknown.resubmitted = true;
        unknown.chunks_estimated = chunks;
        rows_parked_ -= again.indices.size();
        co_await forget(&again);
        co_await see_through(std::move(again));
    }
}

asio::awaitable<void> engine::split(batch* item, failure why, std::deque<batch>* todo) {
    const std::size_t rows = item->indices.size();
    if (rows > 1) {
        if (why.kind == errc::request_too_large) {
            limits_.rows = std::min<std::uint64_t>(limits_.rows, (rows + 1) / 2);
        }
        todo->push_front(part_of(*item, rows / 2, rows));
        todo->push_front(part_of(*item, 0, rows / 2));
        co_return;
    }
    if (++rows_refused_in_a_row_ > rows_refused_in_a_row_max) {
        give_up(why);
        co_return;
    }
    co_await fail_rows(item, 0, 1, std::move(why));
}

asio::awaitable<void> engine::fail_rows(const batch* item, std::size_t first, std::size_t last, failure why) {
    if (options_->on_error == error_policy::stop) {
        give_up(why);
        co_return;
    }
    std::function<result<void>()> fail = [this, item, first, last, why] {
        std::vector<failed_row> rows(last - first);
        for (std::size_t i = first; i < last; ++i) {
            failed_row& row = rows[i - first];
            row.index = item->indices[i];
            row.row = item->rows[i];
            row.row.text = (*item->texts)[i];
            row.reason = why;
        }
        return reader_.fail(rows);
    };
    co_await on_disk(std::move(fail));
}

// Waits, fetches and checks, with patience: only what says that the job itself is at fault is returned, or that it
// stays in flight.
asio::awaitable<result<fetched_job>> engine::settle_and_fetch(const batch* item) {
    const policy::backoff_options patient = patience();
    std::uint32_t tries = 0;
    std::uint32_t doubts = 0;
    for (;;) {
        const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), options_->job_timeout));
        failure why;
        const result<void> settled = co_await backend_->settle(item->job_id, until);
        if (settled) {
            std::vector<float> values;
            if (!spare_values_.empty()) {
                values = std::move(spare_values_.back());
                spare_values_.pop_back();
            }
            const monotonic_time fetched_by = std::min(deadline_, deadline_after(env_->now(), options_->job_timeout));
            result<fetched_job> fetched = co_await backend_->fetch(item->job_id, item->indices.size(), options_->verify,
                                                                   std::move(values), fetched_by);
            if (fetched) {
                co_return fetched;
            }
            why = fetched.error();
        } else {
            why = settled.error();
        }
        const job_reaction reaction = react_to_job(why);
        const bool doubtful =
            reaction == job_reaction::withhold || (reaction == job_reaction::fail_rows && why.failed_chunks.empty());
        const bool look_again = doubtful && ++doubts < looks_max;
        if (reaction != job_reaction::try_again && !look_again) {
            co_return why;
        }
        const auto delay = policy::backoff_delay(patient, ++tries, env_->random());
        if (!delay) {
            why.kind = errc::timeout;
            co_return why;
        }
        const monotonic_time again = deadline_after(env_->now(), *delay);
        const wait_outcome outcome = co_await sleep_until(env_, again);
        if (outcome == wait_outcome::cancelled) {
            co_return failure(errc::cancelled, "cancelled while a job was under way");
        }
    }
}

asio::awaitable<void> engine::settle_and_store(batch* item, std::deque<batch>* todo) {
    result<fetched_job> fetched = co_await settle_and_fetch(item);
    if (fetched) {
        co_await store(item, std::move(*fetched));
    } else {
        co_await came_to_nothing(item, fetched.error(), todo);
    }
}

asio::awaitable<void> engine::store(batch* item, fetched_job fetched) {
    if (report_.dimensions != 0 && report_.dimensions != fetched.dimensions) {
        give_up(failure(errc::protocol, "a job's output has " + std::to_string(fetched.dimensions) +
                                            " dimensions where earlier ones had " +
                                            std::to_string(report_.dimensions)));
        co_return;
    }
    report_.dimensions = fetched.dimensions;
    fetched.proof.batch = item->number;
    fetched.proof.indices = item->indices;
    row_batch rows;
    rows.batch = item->number;
    rows.indices = item->indices;
    rows.dimensions = fetched.dimensions;
    rows.values = fetched.values;
    std::function<result<void>()> write = [this, item, &rows, &fetched]() -> result<void> {
        if (auto proved = sink_->prove(fetched.proof); !proved) {
            return proved;
        }
        if (auto written = sink_->write(rows); !written) {
            return written;
        }
        if (journal_ == nullptr) {
            return {};
        }
        // The journal may say "done" only of rows that survive a power cut.
        if (auto flushed = sink_->flush(); !flushed) {
            return flushed;
        }
        return journal_->complete(item->number);
    };
    const bool stored = co_await on_disk(std::move(write));
    spare_values_.push_back(std::move(fetched.values));
    if (stored) {
        rows_done_now_ += item->indices.size();
        report_.chunks_sampled += fetched.chunks_sampled;
        ++report_.jobs;
    }
}

asio::awaitable<void> engine::came_to_nothing(batch* item, failure why, std::deque<batch>* todo) {
    switch (react_to_job(why)) {
        case job_reaction::fail_rows: co_await resubmit_good_rows(item, std::move(why), todo); break;
        case job_reaction::resubmit:
            co_await forget(item);
            if (++item->refunds < refunds_max) {
                todo->push_front(part_of(*item, 0, item->indices.size()));
            } else {
                co_await fail_rows(item, 0, item->indices.size(), std::move(why));
            }
            break;
        case job_reaction::withhold:
            ++report_.jobs_unverified;
            co_await fail_rows(item, 0, item->indices.size(), std::move(why));
            if (!fatal_) {
                co_await forget(item);
            }
            break;
        case job_reaction::lost: co_await park(item, std::move(why), todo); break;
        case job_reaction::try_again:
        case job_reaction::leave: ++jobs_left_; break;
        case job_reaction::give_up: give_up(why); break;
    }
}

// The rows of failed chunks fail; the job gave nothing for the others either, so they are submitted anew. The job is
// forgotten last: a process that dies before has it judged again.
asio::awaitable<void> engine::resubmit_good_rows(batch* item, failure why, std::deque<batch>* todo) {
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
    for (const failed_chunk& chunk : bad) {
        const std::size_t first = std::clamp<std::size_t>(chunk.row_start, at, rows);
        const std::size_t last = std::clamp<std::size_t>(chunk.row_end, first, rows);
        if (first > at) {
            todo->push_back(part_of(*item, at, first));
        }
        co_await fail_rows(item, first, last, why);
        at = last;
    }
    if (at < rows) {
        todo->push_back(part_of(*item, at, rows));
    }
    if (!fatal_) {
        co_await forget(item);
    }
}

}  // namespace vembed::bulk
