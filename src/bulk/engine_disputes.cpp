// One job id for two submissions: which of them the job is about is for its receipt to show.

#include <algorithm>
#include <iterator>
#include <utility>

#include "bulk/engine.hpp"
#include "bulk/row_ranges.hpp"

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

// False where the id is that of another batch already: then both are disputed.
bool engine::own_job(const journalled_batch& of) {
    const auto [found, fresh] = jobs_.try_emplace(of.job_id);
    job_owner& owner = found->second;
    if (!fresh) {
        owner.disputed = true;
        return false;
    }
    owner.batch = of.batch;
    owner.stored = of.state == batch_state::done;
    owner.ended = owner.stored;
    return true;
}

// A submission that was answered with the id of another batch's job is one without an answer. The other one stays as
// it is until its receipt was seen.
asio::awaitable<void> engine::dispute(batch* item, std::string job_id, std::deque<batch>* todo) {
    job_owner& owner = jobs_.at(job_id);
    owner.disputed = true;
    const std::uint64_t first = owner.batch;
    if (owner.ended) {
        backend_->unwatch(job_id);  // Nobody will ask for it again.
    }
    failure why = two_submissions(job_id);
    why.message += "; the other is batch " + std::to_string(first);
    env_->log(log_level::error, "job_id_given_twice",
              {log_field("job_id", job_id), log_field("batch", item->number), log_field("first_batch", first)});
    std::vector<journal_change> nothing_else;
    co_await park_disputed(item, std::move(why), std::move(nothing_else), todo);
    co_await settle_dispute(std::move(job_id));
}

// Rows that were written before their job's id came a second time stay if the receipt proves that the job is about
// their texts.
asio::awaitable<void> engine::settle_dispute(std::string job_id) {
    job_owner* const owner = &jobs_.at(job_id);
    if (!owner->stored || owner->proved) {
        co_return;
    }
    stored_rows rows;
    disk_work looking;
    looking.work = [this, owner, &rows] { return look_up(*owner, &rows); };
    const bool looked_up = co_await on_disk(std::move(looking));
    if (!looked_up) {
        co_return;
    }
    if (!rows.texts.empty()) {
        auto texts = std::make_shared<const std::vector<input_digests>>(rows.texts);
        const monotonic_time until = std::min(deadline_, deadline_after(env_->now(), options_->job_timeout));
        std::string id = job_id;
        const bool proved = co_await backend_->prove_inputs(std::move(id), std::move(texts), until);
        owner->proved = owner->proved || proved;
    }
    if (owner->stored && !owner->proved) {
        co_await withdraw(&job_id, owner, &rows);
    }
}

result<void> engine::look_up(const job_owner& owner, stored_rows* found) {
    if (journal_ == nullptr) {
        found->indices = indices_of(owner.rows);
    } else {
        const auto batch = journal_->find(owner.batch);
        if (!batch) {
            return batch.error();
        }
        found->indices = *batch ? indices_of((*batch)->rows) : std::vector<std::uint64_t>();
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

// The journal first: who goes on after a death in between withdraws the rows of every batch in doubt again.
asio::awaitable<void> engine::withdraw(const std::string* job_id, job_owner* owner, const stored_rows* rows) {
    owner->stored = false;
    failure why = two_submissions(*job_id);
    why.message += "; its rows were written and were taken out again, since no receipt proves that they are its own";
    unknown_batch unknown;
    unknown.batch = owner->batch;
    unknown.job_id = *job_id;
    unknown.rows = rows->indices;
    unknown.chunks_estimated = backend_->chunks_at_most(rows->indices.size());
    unknown.reason = why.message;
    report_.unknown.push_back(std::move(unknown));
    rows_parked_ += rows->indices.size();
    env_->log(log_level::error, "rows_withdrawn",
              {log_field("job_id", *job_id), log_field("batch", owner->batch),
               log_field("rows", std::uint64_t{rows->indices.size()})});
    const bool recorded = co_await record(journal_change::doubt(owner->batch));
    if (!recorded) {
        co_return;
    }
    std::vector<digest> keys = std::move(owner->keys);
    std::ranges::transform(rows->texts, std::back_inserter(keys), &input_digests::text);
    std::uint64_t counted = 0;
    disk_work taking_out;
    taking_out.work = [this, &counted, &keys, rows, &why]() -> result<void> {
        const auto copies = sink_->withdraw(rows->indices);
        if (!copies) {
            return copies.error();
        }
        saved_.forget(keys);
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
    job_owner& owner = jobs_.at(item->job_id);
    owner.stored = true;
    owner.proved = proved;
    if (!proved && journal_ == nullptr) {
        owner.rows = ranges_of(item->indices);
    }
    if (!proved && options_->cache != nullptr && !sink_->keeps_digests()) {
        owner.keys = std::move(item->keys);
    }
    if (owner.disputed && !proved) {
        std::string job_id = item->job_id;
        co_await settle_dispute(std::move(job_id));
    }
}

// The job of a batch is not known to be its own, so the batch is one without an answer.
asio::awaitable<void> engine::doubt(batch* item, std::deque<batch>* todo) {
    failure why = two_submissions(item->job_id);
    std::vector<journal_change> changes;
    changes.push_back(journal_change::doubt(item->number));
    item->job_id.clear();
    co_await park_disputed(item, std::move(why), std::move(changes), todo);
}

}  // namespace vembed::bulk
