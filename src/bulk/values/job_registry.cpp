#include "bulk/values/job_registry.hpp"

#include <algorithm>

namespace vembed::bulk {

void job_owner::doubt(std::vector<journal_change>& changes) {
    if (journalled == standing::held) {
        journalled = standing::doubted;
        changes.push_back(journal_change::doubt(batch));
    }
}

void job_owner::complete(const bulk::batch& item, bool corrected, std::vector<journal_change>& changes) {
    if (corrected) {
        doubt(changes);  // It is accepted anew in the same commit.
    }
    if (corrected || journalled == standing::doubted) {
        changes.push_back(journal_change::accept(item.number, item.job_id, item.chunks));
    }
    journalled = standing::held;
    changes.push_back(journal_change::complete(item.number));
}

void job_registry::adopt(const journalled_batch& left) {
    job_owner made;
    made.batch = left.batch;
    made.journalled = job_owner::standing::held;
    made.reached = left.state == batch_state::done ? job_owner::stage::stored : job_owner::stage::asked_for;
    const auto [found, fresh] = jobs_.try_emplace(left.job_id, made);
    if (!fresh) {
        found->second.disputed = true;
        disputed_before_.emplace_back(left.job_id, std::move(made));
    }
}

void job_registry::accept(const std::string& job_id, std::uint64_t number) {
    job_owner& owner = jobs_[job_id];
    owner.batch = number;
    owner.journalled = job_owner::standing::held;
}

job_owner* job_registry::find(const batch& item) {
    const auto found = jobs_.find(item.job_id);
    if (found == jobs_.end() || found->second.batch == item.number) {
        return found == jobs_.end() ? nullptr : &found->second;
    }
    const auto second = std::ranges::find(disputed_before_, item.number,
                                          [](const auto& one) -> std::uint64_t { return one.second.batch; });
    return second == disputed_before_.end() ? nullptr : &second->second;
}

bool job_registry::is_disputed(const batch& item) const {
    const auto found = jobs_.find(item.job_id);
    return found != jobs_.end() && found->second.disputed;
}

void job_registry::leaves_journal(const batch& item) {
    if (job_owner* const owner = find(item)) {
        owner->journalled = job_owner::standing::none;
    }
}

void job_registry::end(const batch& item) {
    job_owner* const owner = find(item);
    if (owner != nullptr && owner->reached == job_owner::stage::asked_for) {
        owner->reached = job_owner::stage::ended;
    }
}

}  // namespace vembed::bulk
