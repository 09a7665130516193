#include "bulk/values/chunk_budget.hpp"

#include <algorithm>

#include "policy/packing/packing.hpp"

namespace vembed::bulk {
namespace {

std::uint64_t what_is_left(std::uint64_t most, std::uint64_t spent) noexcept {
    return most - std::min(spent, most);
}

}  // namespace

chunk_budget::chunk_budget(const bulk_options& options)
    : run_max_(options.max_chunks),
      extra_max_(options.max_extra_chunks),
      narrowing_max_(options.max_narrowing_chunks),
      resubmits_(options.on_unknown == unknown_policy::resubmit) {}

void chunk_budget::adopt_charged(std::uint64_t chunks, const run_facts& facts) noexcept {
    charged_before_ = chunks;
    extra_ = facts.extra_chunks;
    in_doubt_ = facts.extra_chunks;  // A batch that was sent again may have been charged the first time too.
}

void chunk_budget::accepted(std::uint64_t at_most, std::uint64_t charged, bool narrowing) noexcept {
    submitting_ -= at_most;
    used_ += charged;
    narrowing_ += narrowing ? charged : 0;
}

void chunk_budget::unanswered(std::uint64_t at_most) noexcept {
    submitting_ -= at_most;
    in_doubt_ += at_most;
}

void chunk_budget::correct(std::uint64_t excess, bool narrowing) noexcept {
    used_ -= excess;
    narrowing_ -= narrowing ? excess : 0;
}

bool chunk_budget::take_extra(std::uint64_t chunks) noexcept {
    const bool covered = resubmits_ && chunks <= what_is_left(extra_max_, extra_);
    extra_ += covered ? chunks : 0;
    return covered;
}

bool chunk_budget::take_narrowing(std::uint64_t chunks) noexcept {
    const bool covered = chunks <= what_is_left(narrowing_max_, narrowing_planned_);
    narrowing_planned_ += covered ? chunks : 0;
    return covered;
}

std::uint64_t chunk_budget::rows_affordable(std::uint64_t rows, std::uint64_t rows_per_chunk) const noexcept {
    if (!run_max_) {
        return rows;
    }
    const std::uint64_t left = what_is_left(*run_max_, spoken_for());
    return std::min(rows, left > rows ? rows : left * std::max<std::uint64_t>(rows_per_chunk, 1));
}

std::string chunk_budget::explain(std::uint64_t rows_left, std::uint64_t rows_per_chunk) const {
    std::string why = "the run has used " + std::to_string(spoken_for()) + " chunks, of " + std::to_string(*run_max_) +
                      " that it may use in all";
    if (rows_left > 0) {
        const std::uint64_t size = std::max<std::uint64_t>(rows_per_chunk, 1);
        const std::uint64_t most = spoken_for() + policy::chunks_of(rows_left, size);
        why += "; to buy every row that is left, allow " + std::to_string(most);
    }
    return why;
}

}  // namespace vembed::bulk
