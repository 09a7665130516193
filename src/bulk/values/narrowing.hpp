#pragma once
/// Which parts of a batch are tried again after a part of it was refused or failed, and which rows are lost: pure.

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

/// A batch that was refused: two halves, until a single row is refused. A refusal costs nothing, but if
/// it says nothing of the rows (submit_reaction::narrow), what halves cost more than the whole is taken from the
/// budget.
narrowing halve_refused(const batch& item, const failure& why, std::uint64_t rows_per_chunk, chunk_budget* budget);

/// A job that failed gave nothing for any of its rows: those outside its failed chunks are tried again, those within
/// are halved for as long as the budget lasts.
narrowing narrow_failed(const batch& item, const failure& why, std::uint64_t rows_per_chunk, chunk_budget* budget);

}  // namespace vembed::bulk
