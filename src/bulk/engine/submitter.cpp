#include "bulk/engine/submitter.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bulk/values/narrowing.hpp"
#include "bulk/values/reaction.hpp"

namespace vembed::bulk {
namespace {

// It is worth a wait to learn from the first job, but not a long one.
constexpr std::chrono::seconds learning_max{30};

}  // namespace

asio::awaitable<step> submitter::submit(batch_task* task) {
    trial own_trial;
    const step tries = co_await await_trial(&own_trial);
    if (tries == step::over) {
        co_return step::over;
    }
    const step unsuspected = co_await await_suspects();
    if (unsuspected == step::over) {
        co_return step::over;
    }
    const step fits = co_await fit(task);
    if (fits == step::over) {
        co_return step::over;
    }
    batch& item = task->item;
    const std::uint64_t chunks = run_->parts.backend->chunks_at_most(item.indices.size());
    run_->budget.submitting(chunks);
    intent own(run_, &item, own_trial ? submission_kind::trial : submission_kind::regular);
    result<submitted_job> submitted = co_await run_->parts.backend->submit(item.texts, &own, run_->parts.deadline);
    note_outcome(item, chunks, submitted, own.kind());
    own_trial.reset();
    if (submitted) {
        co_return co_await accepted(task, std::move(*submitted));
    }
    const bool in_doubt = react_to_submit(submitted.error()) == submit_reaction::park;
    if (in_doubt && !own.held_back()) {
        co_await in_doubt_->park(task, submitted.error());
        co_return step::over;
    }
    const result<void> undone = co_await own.revoke();
    if (undone && own.held_back()) {
        task->requeue();
    } else if (undone) {
        co_await refused(task, submitted.error());
    }
    co_return step::over;
}

void submitter::note_outcome(const batch& item, std::uint64_t chunks, const result<submitted_job>& submitted,
                             submission_kind kind) {
    const bool unanswered = !submitted && submitted.error().kind == errc::outcome_unknown;
    if (submitted) {
        run_->budget.accepted(chunks, submitted->chunks, item.narrowing);
    } else if (unanswered) {
        run_->budget.unanswered(chunks);
    } else {
        run_->budget.refused(chunks);
    }
    run_->lines.budget.wake_all();
    if (submitted && run_->outage.answered()) {
        run_->lines.outage.wake_all();
    } else if (unanswered || (!submitted && react_to_submit(submitted.error()) == submit_reaction::wait_out)) {
        note_silence(kind, submitted.error());
    }
}

void submitter::note_silence(submission_kind kind, const error& why) {
    environment* const env = run_->parts.env.get();
    const std::function<std::uint64_t()> random = [env] { return env->random(); };
    submission_outage& outage = run_->outage;
    switch (outage.unanswered(kind, env->now(), random)) {
        case outage_verdict::go_on: break;
        case outage_verdict::give_up:
            run_->end.stop(stop_reason::service_busy,
                           "the service has left submissions without a response for a while (the last: " + why.message +
                               "): the run goes on when it is run again");
            break;
        case outage_verdict::pause: {
            const auto pause = std::chrono::floor<std::chrono::seconds>(outage.next_trial_at() - env->now());
            env->log(log_level::warning, "service_silent",
                     {log_field("unanswered", static_cast<std::uint64_t>(outage.in_a_row())),
                      log_field("seconds", static_cast<std::uint64_t>(pause.count()))});
            break;
        }
    }
}

// Each submission without a response is a batch that may be lost. If several in a row had none, the others wait, and
// the first of them tries again alone after a pause.
asio::awaitable<step> submitter::await_trial(trial* own) {
    const submission_outage& outage = run_->outage;
    if (!outage.under_way()) {
        co_return step::go_on;
    }
    own->emplace(run_->lines.outage);
    step probed = step::over;
    while (outage.under_way() && probed == step::over && !run_->end.stopping()) {
        const bool leads = (*own)->first();
        const monotonic_time next = std::min(outage.next_trial_at(), run_->parts.deadline);
        if (leads && run_->parts.now() >= next) {
            probed = co_await probe_service();
            continue;
        }
        const monotonic_time until = leads ? next : no_deadline;
        const wait_outcome outcome = co_await (*own)->wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return step::over;
        }
    }
    if (!outage.under_way()) {
        own->reset();
    }
    co_return run_->end.stopping() ? step::over : step::go_on;
}

// A free request is sent before a batch that may cost chunks.
asio::awaitable<step> submitter::probe_service() {
    const monotonic_time until = run_->parts.within(run_state::account_patience);
    const result<policy::account_count> heard = co_await run_->parts.backend->count_chunks(until);
    const bool ended = co_await run_->end.cancelled();
    if (ended) {
        co_return step::over;
    }
    const bool silent = !heard && react_to_job(heard.error()) == job_reaction::try_again;
    if (silent) {
        note_silence(submission_kind::trial, heard.error());
    }
    co_return silent ? step::over : step::go_on;
}

// If jobs were bad or failed a look, nothing is submitted while the undecided jobs would be enough, taken together, to
// stop the buying.
asio::awaitable<step> submitter::await_suspects() {
    std::function<bool()> held = [run = run_] {
        return !run->end.stopping() && run->streak.holds_submissions(run->tally.suspects, run->tally.jobs_settled);
    };
    const step waited = co_await run_->wait_in(&run_->lines.suspicion, std::move(held));
    co_return run_->end.stopping() ? step::over : waited;
}

// If the size of a chunk is not known, each row may take one. What the budget then buys may be part of a chunk.
void submitter::warn_of_part_of_chunk(std::uint64_t rows) {
    if (run_->parts.rows_per_chunk() == 0 && !run_->first.is_shown() && rows < run_->limits.rows) {
        run_->parts.env->log(log_level::warning, "chunk_size_unknown", {log_field("rows", rows)});
    }
}

// Cuts a batch down to what is known to fit now: it may have been read before the first responses.
asio::awaitable<step> submitter::fit(batch_task* task) {
    const policy::packing_limits limits = run_->packing();
    const std::uint64_t all = task->item.indices.size();
    if (all > limits.rows || (limits.chunks && run_->parts.backend->estimate_chunks(all) > *limits.chunks)) {
        task->cut(policy::rows_in_full_job(limits));
    }
    if (!run_->budget.is_capped()) {
        co_return step::go_on;
    }
    runtime::wait_queue::place place(run_->lines.budget);
    while (!run_->end.stopping()) {
        const std::uint64_t rows =
            run_->budget.rows_affordable(task->item.indices.size(), run_->parts.rows_per_chunk());
        if (rows > 0) {
            warn_of_part_of_chunk(rows);
            task->cut(rows);
            co_return step::go_on;
        }
        if (!run_->budget.may_grow()) {
            run_->end.stop(stop_reason::chunk_budget, "the chunk budget is used up");
            break;
        }
        const wait_outcome outcome = co_await place.wait_until(no_deadline);
        if (outcome == wait_outcome::cancelled) {
            break;
        }
    }
    co_return step::over;
}

asio::awaitable<step> submitter::accepted(batch_task* task, submitted_job job) {
    if (run_->jobs.knows(job.id)) {
        co_await disputes_->dispute(task, std::move(job.id));
        co_return step::over;
    }
    batch& item = task->item;
    item.intended = false;
    item.job_id = std::move(job.id);
    item.chunks = job.chunks;
    item.chunks_guessed = !job.chunks_said;
    run_->streak.job_accepted();
    run_->charges.job_accepted(run_->parts.now());
    run_->jobs.accept(item.job_id, item.number);
    journal_change change = journal_change::accept(item.number, item.job_id, job.chunks);
    const step recorded = co_await run_->record(std::move(change));
    if (recorded == step::over) {
        run_->parts.env->log(log_level::error, "job_not_recorded",
                             {log_field("batch", item.number), log_field("job_id", item.job_id)});
        co_return step::over;
    }
    if (!run_->first.is_shown()) {
        co_await learn_from_first(&item);
    }
    run_->first_job_shown();
    co_return step::go_on;
}

// Learns how many rows a chunk takes, and whether a job is charged when it is accepted. If it is, the account's count
// tells at once of a submission without a response.
asio::awaitable<void> submitter::learn_from_first(const batch* item) {
    const monotonic_time until = run_->parts.within(learning_max);
    std::optional<policy::account_count> counted;
    if (run_->charges.wants_first_count()) {
        const result<policy::account_count> now = co_await run_->parts.backend->count_chunks(until);
        if (now) {
            counted = *now;
        }
    }
    const bool under_way = co_await run_->parts.backend->look_at_chunks(item->job_id, until);
    run_->charges.first_job_seen(counted, under_way, run_->budget.charged());
}

asio::awaitable<void> submitter::refused(batch_task* task, error why) {
    switch (react_to_submit(why)) {
        case submit_reaction::split:
        case submit_reaction::narrow: co_await halve(task, std::move(why)); break;
        case submit_reaction::wait_out: task->requeue(); break;
        case submit_reaction::stop_quota: co_await wait_for_quota(task, std::move(why)); break;
        case submit_reaction::stop_busy: run_->end.stop(stop_reason::service_busy, why.message, why.retry_after); break;
        case submit_reaction::withdrawn:
            if (!run_->end.stopping()) {
                run_->end.give_up(why);
            }
            break;
        case submit_reaction::park:
        case submit_reaction::give_up: run_->end.give_up(why); break;
    }
}

// If the quota of the day or the period is used up, the run ends; it waits if it was told to and knows until when.
asio::awaitable<void> submitter::wait_for_quota(batch_task* task, error why) {
    const run_parts& parts = run_->parts;
    monotonic_time until = no_deadline;
    if (parts.options->wait_for_quota && why.retry_after) {
        until = deadline_after(parts.now(), *why.retry_after + std::chrono::seconds(1));
    }
    if (until >= parts.deadline) {
        run_->end.stop(stop_reason::quota, why.message, why.retry_after);
        co_return;
    }
    run_->waits_for_quota = why.message;
    const std::int64_t seconds = std::max<std::int64_t>(0, why.retry_after->count());
    parts.env->log(log_level::warning, "waiting_for_quota",
                   {log_field("seconds", static_cast<std::uint64_t>(seconds))});
    std::function<bool()> held = [run = run_] { return !run->end.stopping(); };
    const step back = co_await run_->wait_in(&run_->lines.quota, std::move(held), until);
    if (back == step::go_on) {
        task->requeue();
    }
}

asio::awaitable<void> submitter::halve(batch_task* task, error why) {
    narrowing plan = halve_refused(task->item, why, run_->parts.rows_per_chunk(), &run_->budget);
    if (!plan.again.empty()) {
        if (why.kind == errc::request_too_large) {
            const std::uint64_t rows = task->item.indices.size();
            run_->limits.rows = std::min(run_->limits.rows, (rows + 1) / 2);
        }
        std::move(plan.again.rbegin(), plan.again.rend(), std::front_inserter(task->again));
        co_return;
    }
    if (run_->streak.row_was_refused() == streak_verdict::stop) {
        run_->end.give_up(why);
        co_return;
    }
    std::vector<journal_change> nothing_else;
    co_await run_->fail_rows(std::move(plan.lost), std::move(nothing_else));
}

}  // namespace vembed::bulk
