// One job id for two submissions: which of them the job is about is for its receipt to show.

#include <algorithm>
#include <iterator>
#include <utility>

#include "bulk/engine/engine.hpp"
#include "core/row_ranges.hpp"

namespace vembed::bulk {
namespace {

failure two_submissions(const std::string& job_id) {
    failure f(errc::outcome_unknown, "the service gave the id of job " + job_id +
                                         " to two submissions: which rows that job is about is not known");
    f.job_id = job_id;
    return f;
}

}  // namespace

bool engine::inputs_are_proved(const std::vector<offline_check>& checks) {
    return std::ranges::any_of(checks, [](const offline_check& check) {
        return check.name == "inputs_root" && check.verdict == check_verdict::verified;
    });
}

// An earlier process may have taken one id for two batches.
void engine::own_job(const journalled_batch& of) {
    job_owner made;
    made.batch = of.batch;
    made.journalled = job_owner::standing::held;
    made.stored = of.state == batch_state::done;
    made.ended = made.stored;
    const auto [found, fresh] = jobs_.try_emplace(of.job_id, made);
    if (!fresh) {
        found->second.disputed = true;
        disputed_before_.emplace_back(of.job_id, std::move(made));
    }
}

// What is known of the batch's job; null where it has none.
job_owner* engine::owner_of(const batch& item) {
    const auto found = jobs_.find(item.job_id);
    if (found == jobs_.end() || found->second.batch == item.number) {
        return found == jobs_.end() ? nullptr : &found->second;
    }
    const auto second = std::ranges::find(disputed_before_, item.number,
                                          [](const auto& one) -> std::uint64_t { return one.second.batch; });
    return second == disputed_before_.end() ? nullptr : &second->second;
}

asio::awaitable<void> engine::settle_prior_disputes() {
    for (std::size_t at = 0; at < disputed_before_.size(); ++at) {
        auto& [job_id, second] = disputed_before_[at];
        co_await settle_dispute(&job_id, &jobs_.at(job_id));
        co_await settle_dispute(&job_id, &second);
    }
}

// Said before the change is queued that takes the batch out: what is queued is done in order.
void engine::leaves_journal(const batch& item) {
    if (job_owner* const owner = owner_of(item)) {
        owner->journalled = job_owner::standing::none;
    }
}

// A submission that was answered with the id of another batch's job is one without an answer, and so is the other one
// until its receipt shows whose job it is: one commit says both, so whoever goes on after a death has neither.
asio::awaitable<void> engine::dispute(batch* item, std::string job_id, std::deque<batch>* todo) {
    job_owner& owner = jobs_.at(job_id);
    owner.disputed = true;
    const std::uint64_t first = owner.batch;
    if (owner.ended) {
        backend_->unwatch(job_id);  // Nobody will ask for it again.
    }
    facts_.jobs_came_to_nothing = true;  // One of the two may not be charged: the account's count decides nothing now.
    failure why = two_submissions(job_id);
    why.message += "; the other is batch " + std::to_string(first);
    env_->log(log_level::error, "job_id_given_twice",
              {log_field("job_id", job_id), log_field("batch", item->number), log_field("first_batch", first)});
    std::vector<journal_change> changes;
    if (owner.journalled == job_owner::standing::held) {
        owner.journalled = job_owner::standing::doubted;
        changes.push_back(journal_change::doubt(first));
    }
    note_facts(changes);
    co_await park_disputed(item, std::move(why), std::move(changes), todo);
    withdraw_left(job_id);
    co_await settle_dispute(&job_id, &owner);
}

// A job that was left to the next run is one in doubt now.
void engine::withdraw_left(const std::string& job_id) {
    const auto left = std::ranges::find(report_.jobs_left, job_id, &job_left::job_id);
    if (left == report_.jobs_left.end()) {
        return;
    }
    report_in_doubt(left->batch, left->rows, two_submissions(job_id));
    report_.jobs_left.erase(left);
}

// Of a batch that was accepted, and of which no text is at hand any more.
void engine::report_in_doubt(std::uint64_t number, const std::vector<std::uint64_t>& rows, const failure& why) {
    unknown_batch unknown;
    unknown.batch = number;
    unknown.job_id = why.job_id;
    unknown.rows = rows;
    unknown.chunks_estimated = backend_->chunks_at_most(rows.size());
    unknown.reason = why.message;
    report_.unknown.push_back(std::move(unknown));
    rows_parked_ += rows.size();
}

// Rows that were written before their job's id came a second time stay if the receipt proves that the job is about
// their texts.
asio::awaitable<void> engine::settle_dispute(const std::string* job_id, job_owner* owner) {
    if (!owner->stored) {
        co_return;
    }
    stored_rows rows;
    disk_work looking;
    looking.work = [this, owner, &rows] { return look_up(*owner, &rows); };
    if (!owner->proved && owner->journalled == job_owner::standing::held) {
        owner->journalled = job_owner::standing::doubted;  // Of an earlier process, which did not notice.
        looking.changes.push_back(journal_change::doubt(owner->batch));
    }
    const bool looked_up = co_await on_disk(std::move(looking));
    if (!looked_up) {
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
        co_await on_disk(std::move(proven));
    }
}

// Asks again, for as long as a job may be late, where the service cannot say.
asio::awaitable<bool> engine::prove_inputs(const std::string* job_id, const stored_rows* rows) {
    const auto texts = std::make_shared<const std::vector<input_digests>>(rows->texts);
    const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), options_->job_timeout));
    const monotonic_time last = std::min(until, deadline_after(env_->now(), options_->visible_within));
    for (std::chrono::seconds pause(1);; pause *= 2) {
        std::string id = *job_id;
        std::shared_ptr<const std::vector<input_digests>> of = texts;
        const result<bool> proved = co_await backend_->prove_inputs(std::move(id), std::move(of), until);
        if (proved) {
            co_return *proved;
        }
        const monotonic_time again = deadline_after(env_->now(), pause);
        if (again > last) {
            co_return false;
        }
        const bool undisturbed = co_await pause_before_asking(again, proved.error().kind);
        if (!undisturbed) {
            co_return false;
        }
    }
}

result<void> engine::look_up(const job_owner& owner, stored_rows* found) {
    if (journal_ == nullptr) {
        found->indices = core::indices_of(owner.rows);
    } else {
        const auto batch = journal_->find(owner.batch);
        if (!batch) {
            return batch.error();
        }
        found->indices = *batch ? core::indices_of((*batch)->rows) : std::vector<std::uint64_t>();
        found->chunks = *batch ? (*batch)->chunks : 0;
    }
    if (!sink_->keeps_digests()) {
        return {};
    }
    auto texts = sink_->digests_of(found->indices);
    if (!texts) {
        return texts.error();
    }
    found->texts = std::move(*texts).value_or(std::vector<input_digests>());
    return {};
}

// The journal has them in doubt already: who goes on after a death withdraws the rows of every batch in doubt again.
asio::awaitable<void> engine::withdraw(const std::string* job_id, job_owner* owner, const stored_rows* rows) {
    if (!std::exchange(owner->stored, false)) {
        co_return;  // Another dispute about it came to that meanwhile.
    }
    failure why = two_submissions(*job_id);
    why.message += "; its rows were written and were taken out again, since no receipt proves that they are its own";
    report_in_doubt(owner->batch, rows->indices, why);
    env_->log(log_level::error, "rows_withdrawn",
              {log_field("job_id", *job_id), log_field("batch", owner->batch),
               log_field("rows", std::uint64_t{rows->indices.size()})});
    std::vector<digest> keys = std::move(owner->keys);
    std::ranges::transform(rows->texts, std::back_inserter(keys), &input_digests::text);
    std::uint64_t counted = 0;
    disk_work taking_out;
    taking_out.work = [this, &counted, &keys, rows, &why]() -> result<void> {
        saved_.forget(keys);  // First: without the receipt's line nobody sees later that there is anything to undo.
        const auto copies = sink_->withdraw(rows->indices);
        if (!copies) {
            return copies.error();
        }
        counted = *copies + reader_.withdraw(rows->indices);
        sink_->leave_out(rows->indices, why);
        return {};
    };
    co_await on_disk(std::move(taking_out));
    rows_withdrawn_ += counted;
}

// As park() does it, but never to be bought again because of the account's count: it was accepted, so it is charged.
asio::awaitable<void> engine::park_disputed(batch* item, failure why, std::vector<journal_change> changes,
                                            std::deque<batch>* todo) {
    unknown_batch unknown = unknown_of(*item, why);
    unknown.job_id = why.job_id;
    const bool again = unknown.resubmitted;
    report_.unknown.push_back(std::move(unknown));
    disk_work parking;
    parking.changes = std::move(changes);
    if (again) {
        parking.changes.push_back(journal_change::forget(item->number));
    } else {
        rows_parked_ += item->indices.size();
        parking.changes.push_back(journal_change::mark_unknown(item->number));
        parking.work = [this, item, why]() -> result<void> {
            sink_->leave_out(item->indices, why);
            return {};
        };
    }
    const bool recorded = co_await on_disk(std::move(parking));
    if (recorded && again) {
        todo->push_front(part_of(*item, 0, item->indices.size()));
    }
}

bool engine::is_disputed(const batch& item) const {
    const auto found = jobs_.find(item.job_id);
    return found != jobs_.end() && found->second.disputed;
}

// Its id may have come a second time while its rows were written.
asio::awaitable<void> engine::note_stored(batch* item, bool proved) {
    job_owner& owner = *owner_of(*item);
    owner.stored = true;
    owner.proved = proved;
    if (!proved && journal_ == nullptr) {
        owner.rows = core::ranges_of(item->indices);
    }
    if (!proved && options_->cache != nullptr && !sink_->keeps_digests()) {
        owner.keys = std::move(item->keys);
    }
    if (is_disputed(*item)) {
        co_await settle_dispute(&item->job_id, &owner);
    }
}

// The job of a batch is not known to be its own, so the batch is one without an answer.
asio::awaitable<void> engine::doubt(batch* item, std::deque<batch>* todo) {
    failure why = two_submissions(item->job_id);
    std::vector<journal_change> changes;
    job_owner& owner = *owner_of(*item);
    if (owner.journalled == job_owner::standing::held) {
        owner.journalled = job_owner::standing::doubted;
        changes.push_back(journal_change::doubt(item->number));
    }
    item->job_id.clear();
    co_await park_disputed(item, std::move(why), std::move(changes), todo);
}

}  // namespace vembed::bulk
