// The engine's way of a batch until it is a job: made to fit, recorded, submitted; or refused, and what then.

#include <algorithm>
#include <utility>

#include "bulk/engine/engine.hpp"
#include "bulk/engine/reaction.hpp"
#include "core/row_ranges.hpp"

namespace vembed::bulk {
namespace {

// Rows refused one by one with nothing accepted in between: it is not the rows.
constexpr std::uint64_t rows_refused_in_a_row_max = 20;
// What is learned from the first job is worth a wait, not a long one.
constexpr std::chrono::seconds learning_max{30};

}  // namespace

policy::packing_limits engine::packing() const {
    policy::packing_limits limits = limits_;
    limits.rows_per_chunk = backend_->rows_per_chunk();
    return limits;
}

// What the run has cost, may have cost and is about to, in all of its processes.
std::uint64_t engine::chunks_spoken_for() const noexcept {
    return chunks_charged_before_ + report_.chunks_used + chunks_submitting_ + chunks_unknown_;
}

// How many of `rows` can be submitted without going over the budget whatever they cost. What is not known to be free
// is taken as charged.
std::uint64_t engine::rows_in_budget(std::uint64_t rows) const {
    const std::uint64_t left = *options_->max_chunks - std::min(chunks_spoken_for(), *options_->max_chunks);
    const std::uint64_t size = std::max<std::uint64_t>(backend_->rows_per_chunk(), 1);
    return std::min(rows, left > rows ? rows : left * size);
}

void engine::cut(batch* item, std::uint64_t rows, std::deque<batch>* todo) {
    const std::size_t all = item->indices.size();
    if (rows < all) {
        todo->push_front(part_of(*item, static_cast<std::size_t>(rows), all));
        *item = part_of(*item, 0, static_cast<std::size_t>(rows));
    }
}

// As long as the size of a chunk is not known each row may take one: what the budget then buys may be a part of one.
void engine::warn_of_part_of_chunk(std::uint64_t rows) {
    if (backend_->rows_per_chunk() == 0 && !first_job_done_ && rows < limits_.rows) {
        env_->log(log_level::warning, "chunk_size_unknown", {log_field("rows", rows)});
    }
}

// Cuts a batch down to what is known to fit now: it may have been read before the first replies. False where nothing
// is to be submitted any more.
asio::awaitable<bool> engine::fit(batch* item, std::deque<batch>* todo) {
    const policy::packing_limits limits = packing();
    const std::uint64_t all = item->indices.size();
    if (all > limits.rows || (limits.chunks && backend_->estimate_chunks(all) > *limits.chunks)) {
        cut(item, policy::rows_in_full_job(limits), todo);
    }
    if (!options_->max_chunks) {
        co_return true;
    }
    runtime::wait_queue::place place(budget_);
    while (!stopping()) {
        const std::uint64_t rows = rows_in_budget(item->indices.size());
        if (rows > 0) {
            warn_of_part_of_chunk(rows);
            cut(item, rows, todo);
            co_return true;
        }
        if (chunks_submitting_ == 0) {
            stop(stop_reason::chunk_budget, "the chunk budget is used up");
            break;
        }
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            break;
        }
    }
    co_return false;
}

// Keeps the journal's record of the tries of one batch.
class engine::intent final : public admission::send_record {
public:
    intent(engine* run, batch* item, bool alone) : tries_alone(alone), run_(run), item_(item) {}

    asio::awaitable<result<void>> about_to_send() override { return run_->intend(item_, this); }
    asio::awaitable<result<void>> to_be_sent_again() override { return run_->take_back(item_); }

    bool tries_alone;      ///< It goes although the last ones were not answered.
    bool put_off = false;  ///< It would have gone with the last ones not answered.

private:
    engine* run_;
    batch* item_;
};

bool engine::may_go(intent* own) const {
    own->put_off = in_outage() && !own->tries_alone;
    return !stopping() && !own->put_off;
}

// The journal has a batch before its first byte is written, and not before the gate lets it through: what waits there
// when a process ends was certainly not sent, and what was sent was not sent long after the time that is recorded.
asio::awaitable<result<void>> engine::intend(batch* item, intent* own) {
    failure withdrawn(errc::cancelled, "withdrawn before it was submitted");
    bool is_late = true;
    while (is_late) {
        if (!may_go(own)) {
            co_return withdrawn;
        }
        const result<void> undone = co_await take_back(item);  // What was recorded too long ago.
        if (!undone) {
            co_return undone.error();
        }
        const monotonic_time latest = deadline_after(env_->now(), recording_max);
        item->number = next_batch_++;
        const std::uint64_t chunks = backend_->chunks_at_most(item->indices.size());
        journal_change change =
            journal_change::intend(item->number, core::ranges_of(item->indices), chunks, env_->wall_now());
        item->intended = co_await record(std::move(change));
        if (!item->intended) {
            co_return *fatal_;
        }
        is_late = env_->now() > latest;
    }
    const bool ended = co_await cancelled();
    if (ended || !may_go(own)) {
        co_return withdrawn;
    }
    co_return result<void>();
}

asio::awaitable<result<void>> engine::take_back(batch* item) {
    if (item->intended) {
        item->intended = false;
        const bool forgotten = co_await forget(item);
        if (!forgotten) {
            co_return *fatal_;
        }
    }
    co_return result<void>();
}

// True when the batch is in flight as a job.
asio::awaitable<bool> engine::submit(batch* item, std::deque<batch>* todo) {
    trial own_trial;
    const bool may_try = co_await await_trial(&own_trial);
    if (!may_try) {
        co_return false;
    }
    const bool unsuspected = co_await await_suspects();
    if (!unsuspected) {
        co_return false;
    }
    const bool fits = co_await fit(item, todo);
    if (!fits) {
        co_return false;
    }
    const std::uint64_t chunks = backend_->chunks_at_most(item->indices.size());
    chunks_submitting_ += chunks;
    intent own(this, item, own_trial.has_value());
    result<submitted_job> submitted = co_await backend_->submit(item->texts, &own, deadline_);
    chunks_submitting_ -= chunks;
    report_.chunks_used += submitted ? submitted->chunks : 0;
    report_.narrowing_chunks += submitted && item->narrowing ? submitted->chunks : 0;
    const bool unknown = !submitted && submitted.error().kind == errc::outcome_unknown;
    chunks_unknown_ += unknown ? chunks : 0;
    budget_.wake_all();
    if (submitted) {
        service_answered();
    } else if (unknown || react_to_submit(submitted.error()) == submit_reaction::wait_out) {
        service_was_silent(own.tries_alone, submitted.error());
    }
    own_trial.reset();
    if (submitted && jobs_.contains(submitted->id)) {
        co_await dispute(item, submitted->id, todo);
        co_return false;
    }
    if (submitted) {
        co_return co_await accepted(item, std::move(*submitted));
    }
    if (own.put_off) {
        co_await put_off(item, todo);
    } else {
        co_await refused(item, submitted.error(), todo);
    }
    co_return false;
}

asio::awaitable<void> engine::put_off(batch* item, std::deque<batch>* todo) {
    const result<void> undone = co_await take_back(item);
    if (undone) {
        todo->push_front(part_of(*item, 0, item->indices.size()));
    }
}

asio::awaitable<bool> engine::accepted(batch* item, submitted_job job) {
    item->intended = false;
    item->job_id = std::move(job.id);
    item->chunks = job.chunks;
    item->chunks_guessed = !job.chunks_said;
    rows_refused_in_a_row_ = 0;
    last_accepted_at_ = env_->now();
    job_owner& owner = jobs_[item->job_id];
    owner.batch = item->number;
    owner.journalled = job_owner::standing::held;
    journal_change change = journal_change::accept(item->number, item->job_id, job.chunks);
    const bool recorded = co_await record(std::move(change));
    if (!recorded) {
        env_->log(log_level::error, "job_not_recorded",
                  {log_field("batch", item->number), log_field("job_id", item->job_id)});
        co_return false;
    }
    co_await learn_from_first(item);
    first_job_shown();
    co_return true;
}

// How many rows a chunk takes, and whether a job is charged when it is accepted: then the account's count tells at once
// of a submission without an answer.
asio::awaitable<void> engine::learn_from_first(const batch* item) {
    if (first_job_done_) {
        co_return;
    }
    const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), learning_max));
    const std::optional<policy::account_count> before = baseline();
    std::uint64_t counted = 0;
    if (before && !facts_.charged_on_acceptance) {
        const result<policy::account_count> now = co_await backend_->count_chunks(until);
        const bool same_period = now && now->period == before->period && now->chunks >= before->chunks;
        counted = same_period ? now->chunks - before->chunks : 0;
    }
    const bool under_way = co_await backend_->look_at_chunks(item->job_id, until);
    const std::uint64_t charged = chunks_charged_before_ + report_.chunks_used;
    facts_.charged_on_acceptance = facts_.charged_on_acceptance || (under_way && charged > 0 && counted == charged);
}

void engine::first_job_shown() {
    if (!first_job_done_) {
        first_job_done_ = true;
        first_job_.wake_all();
    }
}

asio::awaitable<void> engine::refused(batch* item, failure why, std::deque<batch>* todo) {
    const submit_reaction reaction = react_to_submit(why);
    if (reaction == submit_reaction::park) {
        co_await park(item, std::move(why), todo);
        co_return;
    }
    const result<void> undone = co_await take_back(item);
    if (!undone) {
        co_return;
    }
    switch (reaction) {
        case submit_reaction::split:
        case submit_reaction::narrow: co_await split(item, std::move(why), todo); break;
        case submit_reaction::wait_out: todo->push_front(part_of(*item, 0, item->indices.size())); break;
        case submit_reaction::stop_quota: co_await quota_used_up(item, std::move(why), todo); break;
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

// The day's or the period's quota: the run ends, or waits where it was told to and knows until when.
asio::awaitable<void> engine::quota_used_up(batch* item, failure why, std::deque<batch>* todo) {
    if (!options_->wait_for_quota || !why.retry_after) {
        stop(stop_reason::quota, why.message, why.retry_after);
        co_return;
    }
    const monotonic_time until = deadline_after(env_->now(), *why.retry_after + std::chrono::seconds(1));
    if (until >= deadline_) {
        stop(stop_reason::quota, why.message, why.retry_after);
        co_return;
    }
    waits_for_quota_ = why.message;
    quota_back_at_ = until;
    env_->log(log_level::warning, "waiting_for_quota",
              {log_field("seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(0, why.retry_after->count())))});
    runtime::wait_queue::place place(quota_);
    while (!stopping() && env_->now() < until) {
        const wait_outcome outcome = co_await place.wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return;
        }
    }
    todo->push_front(part_of(*item, 0, item->indices.size()));
}

// What a refused batch costs more in two halves: it was not charged, but halves end in chunks that are not full.
bool engine::may_narrow(std::size_t rows, std::size_t half) {
    const std::uint64_t whole = backend_->chunks_at_most(rows);
    const std::uint64_t halves = backend_->chunks_at_most(half) + backend_->chunks_at_most(rows - half);
    const std::uint64_t price = halves - std::min(whole, halves);
    const std::uint64_t left =
        options_->max_narrowing_chunks - std::min(narrowing_chunks_planned_, options_->max_narrowing_chunks);
    narrowing_chunks_planned_ += price <= left ? price : 0;
    return price <= left;
}

asio::awaitable<void> engine::split(batch* item, failure why, std::deque<batch>* todo) {
    const std::size_t rows = item->indices.size();
    const std::size_t half = static_cast<std::size_t>(policy::half_of(rows, backend_->rows_per_chunk()));
    if (rows > 1 && (react_to_submit(why) != submit_reaction::narrow || may_narrow(rows, half))) {
        if (why.kind == errc::request_too_large) {
            limits_.rows = std::min<std::uint64_t>(limits_.rows, (rows + 1) / 2);
        }
        todo->push_front(part_of(*item, half, rows));
        todo->push_front(part_of(*item, 0, half));
        co_return;
    }
    if (++rows_refused_in_a_row_ > rows_refused_in_a_row_max) {
        give_up(why);
        co_return;
    }
    if (rows > 1) {
        why.message += "; which of the " + std::to_string(rows) +
                       " rows it refused was not looked for any further (max_narrowing_chunks)";
    }
    std::vector<failed_row> refused = failed_rows_of(*item, 0, rows, why);
    std::vector<journal_change> nothing_else;
    co_await fail_rows(std::move(refused), std::move(nothing_else));
}

}  // namespace vembed::bulk
