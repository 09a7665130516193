// Submissions that were never answered: kept apart, judged by the account's own count, sent again where that is
// allowed.

#include <algorithm>
#include <utility>

#include "bulk/engine/engine.hpp"
#include "bulk/engine/reaction.hpp"
#include "policy/retry/backoff.hpp"

namespace vembed::bulk {
namespace {

// Older than any wait, and short enough to count with.
constexpr std::chrono::hours long_ago{24 * 365};
// Texts of unanswered batches to keep, so that they can be submitted again without reading the corpus again.
constexpr std::uint64_t parked_bytes_max = 4 << 20;

// Ten minutes or so: long enough for a service that is started anew, short enough to tell the user of one that is not.
policy::backoff_options trial_pauses() {
    policy::backoff_options options;
    options.delay_ms_first = std::chrono::seconds(15);
    options.delay_ms_max = std::chrono::minutes(5);
    options.tries_max = 7;
    return options;
}

// Whether it is not known if it was charged.
bool is_open(const unknown_batch& unknown) noexcept {
    return unknown.job_id.empty() && !unknown.not_charged;
}

}  // namespace

std::optional<policy::account_count> engine::baseline() const {
    if (!facts_.baseline) {
        return std::nullopt;
    }
    return policy::from_period_text(facts_.baseline->chunks_consumed_period, facts_.baseline->period);
}

// When the last byte of what an earlier process left without an answer can have been written: not long after its intent
// was recorded, and not after that process had ended.
monotonic_time engine::written_by(const journalled_batch& left) const {
    const std::chrono::milliseconds latest = recording_max + backend_->sending_max();
    const std::chrono::milliseconds since = env_->wall_now() - left.intended_at - latest;
    return env_->now() - std::clamp<std::chrono::milliseconds>(since, std::chrono::milliseconds(0), long_ago);
}

// Whether whatever was going to be charged for submissions that were written by then has been. Accepted ones count as
// much as unanswered ones: where the charge of one is late, that of another stands in its place in the account's count.
bool engine::charges_are_made(monotonic_time last_sent, bool jobs_in_flight) const {
    return env_->now() - last_sent >= charges_made_after() && (facts_.charged_on_acceptance || !jobs_in_flight);
}

// Where no job showed that charges are seen at once, one may be made as late as a job ends.
std::chrono::seconds engine::charges_made_after() const {
    return facts_.charged_on_acceptance ? options_->arrival_wait
                                        : std::max(options_->arrival_wait, options_->job_timeout);
}

bool engine::may_resubmit(std::uint64_t chunks) noexcept {
    const std::uint64_t spent = std::min(facts_.extra_chunks, options_->max_extra_chunks);
    if (options_->on_unknown != unknown_policy::resubmit || chunks > options_->max_extra_chunks - spent) {
        return false;
    }
    facts_.extra_chunks += chunks;
    report_.extra_chunks = facts_.extra_chunks;
    return true;
}

// The batch as the report names it, taken from the budget for resubmissions if that still allows it.
unknown_batch engine::unknown_of(const batch& item, const failure& why) {
    unknown_batch unknown;
    unknown.batch = item.number;
    unknown.job_id = item.job_id;
    unknown.rows = item.indices;
    unknown.chunks_estimated = backend_->chunks_at_most(item.indices.size());
    unknown.reason = why.message;
    unknown.resubmitted = may_resubmit(unknown.chunks_estimated);
    return unknown;
}

// Sent and not answered: the job may exist and be charged, or not. Or accepted, and gone from the service since: then
// it stays what the journal has it for, and a later run asks for it once more.
asio::awaitable<void> engine::park(batch* item, failure why, std::deque<batch>* todo) {
    unknown_batch unknown = unknown_of(*item, why);
    const bool again = unknown.resubmitted;
    last_unknown_at_ = std::max(last_unknown_at_, env_->now());
    env_->log(log_level::warning, "batch_unknown",
              {log_field("batch", item->number), log_field("rows", item->indices.size()),
               log_field("resubmitted", std::string(again ? "yes" : "no"))});
    report_.unknown.push_back(std::move(unknown));
    if (again) {
        const bool forgotten = co_await forget(item);
        if (forgotten) {
            todo->push_front(part_of(*item, 0, item->indices.size()));
        }
        co_return;
    }
    rows_parked_ += item->indices.size();
    disk_work parking;
    parking.work = [this, item, why]() -> result<void> {
        sink_->leave_out(item->indices, why);
        return {};
    };
    if (item->job_id.empty()) {
        keep_parked(report_.unknown.size() - 1, *item);
        parking.changes.push_back(journal_change::mark_unknown(item->number));
    }
    co_await on_disk(std::move(parking));
}

void engine::keep_parked(std::size_t place, const batch& item) {
    std::uint64_t bytes = 0;
    for (const std::string& text : *item.texts) {
        bytes += text.size();
    }
    if (parked_bytes_ + bytes > parked_bytes_max) {
        return;  // A later run reads them again.
    }
    parked_bytes_ += bytes;
    parked_batch& kept = parked_.emplace_back();
    kept.place = place;
    kept.rows = part_of(item, 0, item.indices.size());
    kept.rows.number = item.number;
}

// Each submission without an answer is a batch that may be lost: where several in a row had none, the others wait, and
// the first of them tries again after a pause, alone. False where nothing is to be submitted any more.
asio::awaitable<bool> engine::await_trial(trial* own) {
    if (!in_outage()) {
        co_return true;
    }
    own->emplace(outage_);
    bool speaks = false;
    while (in_outage() && !speaks && !stopping()) {
        const bool leads = (*own)->first();
        if (leads && env_->now() >= std::min(next_trial_at_, deadline_)) {
            speaks = co_await service_speaks();
            continue;
        }
        const monotonic_time until = leads ? std::min(next_trial_at_, deadline_) : no_deadline;
        const wait_outcome outcome = co_await (*own)->wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return false;
        }
    }
    if (!in_outage()) {
        own->reset();
    }
    co_return !stopping();
}

// A question that costs nothing goes before a batch that may.
asio::awaitable<bool> engine::service_speaks() {
    const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), account_patience));
    const result<policy::account_count> heard = co_await backend_->count_chunks(until);
    const bool ended = co_await cancelled();
    if (ended) {
        co_return false;
    }
    const bool silent = !heard && react_to_job(heard.error()) == job_reaction::try_again;
    if (silent) {
        service_was_silent(true, heard.error());
    }
    co_return !silent;
}

void engine::service_was_silent(bool tried, const failure& why) {
    const bool known = in_outage();
    ++unanswered_in_a_row_;
    if (!in_outage() || (known && !tried)) {
        return;  // That one was under way when the outage was noticed.
    }
    trials_in_vain_ += tried ? 1 : 0;
    const auto pause = policy::backoff_delay(trial_pauses(), trials_in_vain_ + 1, env_->random());
    if (!pause) {
        stop(stop_reason::service_busy, "the service has left submissions without an answer for a while (the last: " +
                                            why.message + "): the run goes on when it is run again");
        return;
    }
    next_trial_at_ = deadline_after(env_->now(), *pause);
    env_->log(log_level::warning, "service_silent",
              {log_field("unanswered", static_cast<std::uint64_t>(unanswered_in_a_row_)),
               log_field("seconds", static_cast<std::uint64_t>(pause->count() / 1000))});
}

void engine::service_answered() {
    if (unanswered_in_a_row_ > 0) {
        unanswered_in_a_row_ = 0;
        trials_in_vain_ = 0;
        outage_.wake_all();
    }
}

asio::awaitable<policy::unknown_verdict> engine::judge_unknown_now() {
    policy::reconciliation seen;
    for (const unknown_batch& unknown : report_.unknown) {
        seen.unknown += is_open(unknown) ? unknown.chunks_estimated : 0;
    }
    seen.charges_are_made = charges_are_made(last_charge_from(), !report_.jobs_left.empty());
    seen.before = baseline();
    if (rows_parked_ == 0 || !seen.charges_are_made || !seen.before) {
        co_return policy::unknown_verdict::undecided;
    }
    const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), account_patience));
    const result<policy::account_count> counted = co_await backend_->count_chunks(until);
    if (counted) {
        seen.now = *counted;
    }
    seen.charged = chunks_charged_before_ + report_.chunks_used;
    seen.perhaps_given_back = facts_.jobs_came_to_nothing;
    seen.sole_use = options_->sole_use;
    co_return policy::judge_unknown(seen);
}

// Why the account's count will never decide; empty where it may.
std::string engine::why_undecidable() const {
    if (!facts_.baseline) {
        return "it was not read before the run's first submission";
    }
    if (facts_.jobs_came_to_nothing) {
        return "a job of the run came to nothing or was answered to two submissions, and its chunks may count or not";
    }
    return "";
}

// How long until a later process can decide by the account's count; nothing if it cannot, or if that is not known:
// where charges are not seen at once, it has to wait for each job of the run to end.
std::optional<std::chrono::seconds> engine::decidable_in() const {
    if (rows_parked_ == 0 || !why_undecidable().empty()) {
        return std::nullopt;
    }
    // It knows when the intent was recorded, not when the submission was given up.
    const monotonic_time charged = deadline_after(last_charge_from(), charges_made_after());
    const monotonic_time known = deadline_after(charged, recording_max + backend_->sending_max());
    const bool waits_for_jobs = !facts_.charged_on_acceptance && !report_.jobs_left.empty();
    if (waits_for_jobs || known == no_deadline) {
        return std::nullopt;
    }
    const auto left = std::chrono::ceil<std::chrono::seconds>(known - env_->now());
    return std::max(left, std::chrono::seconds(0));
}

asio::awaitable<void> engine::await_decision() {
    if (!decidable_in()) {
        co_return;
    }
    const monotonic_time until = deadline_after(last_charge_from(), charges_made_after());
    if (until >= deadline_) {
        co_return;
    }
    const auto left = std::chrono::ceil<std::chrono::seconds>(until - env_->now());
    env_->log(log_level::warning, "waiting_for_unanswered",
              {log_field("seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(0, left.count())))});
    runtime::wait_queue::place place(outage_);
    while (!stopping() && env_->now() < until) {
        const wait_outcome outcome = co_await place.wait_until(until);
        if (outcome == wait_outcome::cancelled) {
            co_return;
        }
    }
}

// When everything else is done: what can be told of the batches without an answer, and what follows from it.
asio::awaitable<void> engine::settle_unknown() {
    const std::shared_ptr<engine> self = shared_from_this();  // As in work().
    if (fatal_) {
        co_return;
    }
    if (options_->wait_unanswered) {
        co_await await_decision();
    }
    const policy::unknown_verdict verdict = co_await judge_unknown_now();
    if (verdict == policy::unknown_verdict::none_charged) {
        co_await release_uncharged();
        co_return;
    }
    for (unknown_batch& unknown : report_.unknown) {
        unknown.probably_charged = is_open(unknown) && verdict == policy::unknown_verdict::all_charged;
    }
    co_await resubmit_parked();
}

// None of them became a job: they are bought like rows that were never sent, here where their texts are at hand, by
// the next run where they are not.
asio::awaitable<void> engine::release_uncharged() {
    disk_work record;
    for (unknown_batch& unknown : report_.unknown) {
        if (is_open(unknown) && !unknown.resubmitted) {
            unknown.not_charged = true;
            rows_released_ += unknown.rows.size();
            record.changes.push_back(journal_change::forget(unknown.batch));
        }
    }
    chunks_unknown_ = 0;
    // What is parked from here on was not judged.
    std::deque<parked_batch> judged = std::exchange(parked_, {});
    parked_bytes_ = 0;
    const bool recorded = co_await on_disk(std::move(record));
    while (recorded && !stopping() && !judged.empty()) {
        batch again = std::move(judged.front().rows);
        judged.pop_front();
        rows_parked_ -= again.indices.size();
        rows_released_ -= again.indices.size();
        job_place place;
        co_await see_through(std::move(again), &place);
    }
}

// Batches that were too dear to submit again as long as nothing had shown what a chunk takes.
asio::awaitable<void> engine::resubmit_parked() {
    while (!stopping() && !parked_.empty()) {
        parked_batch next = std::move(parked_.front());
        parked_.pop_front();
        const std::uint64_t chunks = backend_->chunks_at_most(next.rows.indices.size());
        if (!may_resubmit(chunks)) {
            continue;
        }
        unknown_batch& unknown = report_.unknown[next.place];
        unknown.resubmitted = true;
        unknown.chunks_estimated = chunks;
        rows_parked_ -= next.rows.indices.size();
        const bool forgotten = co_await forget(&next.rows);
        if (forgotten) {
            job_place place;
            co_await see_through(std::move(next.rows), &place);
        }
    }
}

}  // namespace vembed::bulk
