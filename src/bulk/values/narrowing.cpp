#include "bulk/values/narrowing.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "bulk/values/reaction.hpp"
#include "policy/packing/packing.hpp"

namespace vembed::bulk {
namespace {

void lose(narrowing& plan, const batch& item, std::size_t first, std::size_t last, const error& why) {
    std::vector<failed_row> rows = failed_rows_of(item, first, last, why);
    std::move(rows.begin(), rows.end(), std::back_inserter(plan.lost));
}

enum class part_kind : std::uint8_t {
    sound,
    suspect,  ///< The part holds a row that made a job fail.
};

void try_again(narrowing& plan, const batch& item, std::size_t first, std::size_t last, part_kind kind) {
    if (first < last) {
        plan.again.push_back(part_of(item, first, last));
        plan.again.back().narrowing = kind == part_kind::suspect;
    }
}

// Halves rows of which at least one made their job fail.
void narrow_rows(narrowing& plan, const batch& item, std::size_t first, std::size_t last, error why,
                 std::uint64_t rows_per_chunk, chunk_budget* budget) {
    const std::size_t rows = last - first;
    const std::size_t middle = first + rows / 2;
    const std::uint64_t price =
        policy::chunks_of(middle - first, rows_per_chunk) + policy::chunks_of(last - middle, rows_per_chunk);
    if (rows > 1 && budget->take_narrowing(price)) {
        try_again(plan, item, first, middle, part_kind::suspect);
        try_again(plan, item, middle, last, part_kind::suspect);
        return;
    }
    if (rows > 1) {
        why.message += "; which of the " + std::to_string(rows) +
                       " rows is at fault was not looked for any further (max_narrowing_chunks)";
    }
    lose(plan, item, first, last, why);
}

}  // namespace

narrowing halve_refused(const batch& item, const error& why, std::uint64_t rows_per_chunk, chunk_budget* budget) {
    narrowing plan;
    const std::size_t rows = item.indices.size();
    error reason = why;
    if (rows > 1) {
        const auto half = static_cast<std::size_t>(policy::half_of(rows, rows_per_chunk));
        const std::uint64_t whole = policy::chunks_of(rows, rows_per_chunk);
        const std::uint64_t halves =
            policy::chunks_of(half, rows_per_chunk) + policy::chunks_of(rows - half, rows_per_chunk);
        if (react_to_submit(why) != submit_reaction::narrow ||
            budget->take_narrowing(halves - std::min(whole, halves))) {
            const part_kind kind = item.narrowing ? part_kind::suspect : part_kind::sound;
            try_again(plan, item, 0, half, kind);
            try_again(plan, item, half, rows, kind);
            return plan;
        }
        reason.message += "; which of the " + std::to_string(rows) +
                          " rows it refused was not looked for any further (max_narrowing_chunks)";
    }
    lose(plan, item, 0, rows, reason);
    return plan;
}

narrowing narrow_failed(const batch& item, const error& why, std::uint64_t rows_per_chunk, chunk_budget* budget) {
    narrowing plan;
    std::vector<failed_chunk> bad = why.failed_chunks;
    std::ranges::sort(bad, {}, &failed_chunk::row_start);
    const std::size_t rows = item.indices.size();
    if (bad.empty()) {
        bad.emplace_back().row_end = rows;
    }
    std::size_t at = 0;
    for (const failed_chunk& chunk : bad) {
        const std::size_t first = std::clamp<std::size_t>(chunk.row_start, at, rows);
        const std::size_t last = std::clamp<std::size_t>(chunk.row_end, first, rows);
        try_again(plan, item, at, first, part_kind::sound);
        if (last > first) {
            narrow_rows(plan, item, first, last, why, rows_per_chunk, budget);
        }
        at = last;
    }
    try_again(plan, item, at, rows, part_kind::sound);
    return plan;
}

}  // namespace vembed::bulk
