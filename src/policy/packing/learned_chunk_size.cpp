#include "policy/packing/learned_chunk_size.hpp"

#include <algorithm>

#include "policy/packing/packing.hpp"

namespace vembed::policy {

void learned_chunk_size::chunk_held(std::uint64_t rows) noexcept {
    if (rows <= rows_max_) {
        rows_ = std::max(rows_, rows);
    }
}

void learned_chunk_size::job_took(std::uint64_t rows, std::uint64_t chunks) noexcept {
    if (rows == 0 || chunks == 0 || chunks > rows) {
        return;
    }
    const std::uint64_t least = chunks_of(rows, chunks);
    if (rows_ > 0 && chunks > chunks_of(rows, rows_)) {
        rows_ = least;
        rows_max_ = (rows - 1) / (chunks - 1);  // The job had more than one chunk, because chunks_of() is at least 1.
        return;
    }
    rows_max_ = std::max(rows_max_, least);
    rows_ = std::max(rows_, least);
}

std::uint64_t expected_chunk_size(const prior_chunk_sizes& known, bool capped) noexcept {
    const std::uint64_t whole = known.remembered_whole ? known.remembered : 0;
    std::uint64_t size = known.said;
    if (size == 0) {
        size = known.shown > 0 ? known.shown : std::max(known.gone_by, known.remembered);
        size = capped ? size : std::max(size, known.remembered);
    }
    for (const std::uint64_t seen : {known.shown, whole}) {
        size = capped && seen > 0 ? std::min(size, seen) : size;
    }
    return size;
}

}  // namespace vembed::policy
