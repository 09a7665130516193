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

// A second look tells damage on the way from damage at the source.
constexpr std::uint32_t verification_tries_max = 2;
constexpr std::uint32_t refunds_max = 2;
// Rows refused one by one with nothing accepted in between: it is not the rows.
constexpr std::uint64_t rows_refused_in_a_row_max = 20;

}  // namespace

bool engine::within_budget(std::uint64_t chunks) const noexcept {
    return !options_->max_chunks || report_.chunks_used + chunks_submitting_ + chunks <= *options_->max_chunks;
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
    const std::uint64_t chunks = backend_->chunks_at_most(item->indices.size());
    if (!within_budget(options_->max_chunks ? chunks : 0)) {
        stop(stop_reason::chunk_budget, "the chunk budget of this run is used up");
        co_return false;
    }
    chunks_submitting_ += chunks;
    const result<void> recorded = co_await record_intent(item, chunks);
    if (!recorded) {
        chunks_submitting_ -= chunks;
        co_return false;
    }
    result<submitted_job> submitted = co_await backend_->submit(item->texts, deadline_);
    chunks_submitting_ -= chunks;
    if (!submitted) {
        co_await refused(item, submitted.error(), todo);
        co_return false;
    }
    co_return co_await accepted(item, std::move(*submitted));
}

asio::awaitable<bool> engine::accepted(batch* item, submitted_job job) {
    item->job_id = std::move(job.id);
    report_.chunks_used += job.chunks;
    rows_refused_in_a_row_ = 0;
    if (journal_ == nullptr) {
        co_return true;
    }
    const std::uint64_t chunks = job.chunks;
    std::function<result<void>()> accept = [this, item, chunks] {
        return journal_->accept(item->number, item->job_id, chunks);
    };
    co_return co_await on_disk(std::move(accept));
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

// Sent and not answered: the job may exist and be charged, or not.
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
    if (journal_ != nullptr) {
        std::function<result<void>()> mark = [this, item] { return journal_->mark_unknown(item->number); };
        co_await on_disk(std::move(mark));
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
    if (options_->on_error == error_policy::stop || ++rows_refused_in_a_row_ > rows_refused_in_a_row_max) {
        give_up(why);
        co_return;
    }
    co_await fail_rows(item, 0, 1, std::move(why));
}

asio::awaitable<void> engine::fail_rows(const batch* item, std::size_t first, std::size_t last, failure why) {
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
    std::uint32_t checks_failed = 0;
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
            result<fetched_job> fetched = co_await backend_->fetch(item->job_id, item->indices.size(), options_->verify,
                                                                   std::move(values), until);
            if (fetched) {
                co_return fetched;
            }
            why = fetched.error();
        } else {
            why = settled.error();
        }
        const job_reaction reaction = react_to_job(why);
        const bool look_again = reaction == job_reaction::withhold && ++checks_failed < verification_tries_max;
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
            co_await forget(item);
            break;
        case job_reaction::lost: co_await park(item, std::move(why), todo); break;
        case job_reaction::try_again:
        case job_reaction::leave: ++jobs_left_; break;
        case job_reaction::give_up: give_up(why); break;
    }
}

// The rows of failed chunks fail; the job gave nothing for the others either, so they are submitted anew.
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
    co_await forget(item);
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
}

}  // namespace vembed::bulk
