#pragma once
/// Decides which parts of a refused or failed batch are tried again, and which rows are lost: pure.

#include <cstdint>
#include <deque>
#include <vector>

#include <vembed/bulk/sink.hpp>

#include "bulk/batches/batch.hpp"
#include "bulk/values/chunk_budget.hpp"

namespace vembed::bulk {

class narrowing {
public:
    std::deque<batch> again;
    std::vector<failed_row> lost;

    narrowing() = default;
};

/// Splits a refused batch into two halves, until a single row is refused. A refusal costs nothing. If it says nothing
/// of the rows (submit_reaction::narrow), the budget pays what the halves cost more than the whole.
narrowing halve_refused(const batch& item, const error& why, std::uint64_t rows_per_chunk, chunk_budget* budget);

/// A failed job gave nothing for any of its rows. Rows outside its failed chunks are tried again; those within are
/// halved for as long as the budget lasts.
narrowing narrow_failed(const batch& item, const error& why, std::uint64_t rows_per_chunk, chunk_budget* budget);

}  // namespace vembed::bulk
