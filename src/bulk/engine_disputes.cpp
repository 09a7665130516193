// One job id for two submissions: which of them the job is about is for its receipt to show.

#include <algorithm>
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
// it is until its receipt was seen; where its rows are written already, without a proof, that is said.
asio::awaitable<void> engine::dispute(batch* item, std::string job_id, std::deque<batch>* todo) {
    job_owner& owner = jobs_.at(job_id);
    owner.disputed = true;
    const job_owner first = owner;
    if (first.ended) {
        backend_->unwatch(job_id);  // Nobody will ask for it again.
    }
    failure why = two_submissions(job_id);
    why.message += first.stored && !first.proved
                       ? "; the rows of batch " + std::to_string(first.batch) +
                             " are written, and nothing proves that they are its own: check them with vembed verify"
                       : "; the other is batch " + std::to_string(first.batch);
    env_->log(log_level::error, "job_id_given_twice",
              {log_field("job_id", job_id), log_field("batch", item->number), log_field("first_batch", first.batch)});
    std::vector<journal_change> nothing_else;
    co_await park_disputed(item, std::move(why), std::move(nothing_else), todo);
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

void engine::note_stored(const batch& item, const std::vector<offline_check>& checks) {
    const auto found = jobs_.find(item.job_id);
    if (found != jobs_.end()) {
        found->second.stored = true;
        found->second.proved = inputs_are_proved(checks);
    }
}

// The job of a batch is not known to be its own, so the batch is one without an answer, under a new number, since a
// batch that was accepted stays so.
asio::awaitable<void> engine::doubt(batch* item, std::deque<batch>* todo) {
    failure why = two_submissions(item->job_id);
    std::vector<journal_change> changes;
    changes.push_back(journal_change::forget(item->number));
    item->number = next_batch_++;
    changes.push_back(journal_change::intend(item->number, ranges_of(item->indices), item->chunks, env_->wall_now()));
    item->job_id.clear();
    co_await park_disputed(item, std::move(why), std::move(changes), todo);
}

}  // namespace vembed::bulk
