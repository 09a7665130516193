#include "policy/packing/packing.hpp"

#include <algorithm>

namespace vembed::policy {
namespace {

// The largest multiple of a chunk in `rows`; all rows if they do not fill a chunk, or if the chunk size is not known.
std::uint64_t whole_chunks(std::uint64_t rows, std::uint64_t rows_per_chunk) noexcept {
    return rows_per_chunk == 0 || rows < rows_per_chunk ? rows : rows - rows % rows_per_chunk;
}

}  // namespace

std::uint64_t chunks_of(std::uint64_t rows, std::uint64_t rows_per_chunk) noexcept {
    return rows_per_chunk == 0 ? rows : rows / rows_per_chunk + (rows % rows_per_chunk != 0 ? 1 : 0);
}

std::uint64_t half_of(std::uint64_t rows, std::uint64_t rows_per_chunk) noexcept {
    if (rows_per_chunk == 0 || rows <= rows_per_chunk) {
        return rows / 2;
    }
    return chunks_of(rows, rows_per_chunk) / 2 * rows_per_chunk;
}

std::uint64_t rows_in_full_job(const packing_limits& limits) noexcept {
    std::uint64_t rows = std::max<std::uint64_t>(limits.rows, 1);
    if (limits.chunks && limits.rows_per_chunk > 0 && *limits.chunks < rows / limits.rows_per_chunk + 1) {
        rows = std::min(rows, std::max<std::uint64_t>(*limits.chunks, 1) * limits.rows_per_chunk);
    }
    return whole_chunks(rows, limits.rows_per_chunk);
}

std::size_t rows_to_take(std::span<const std::uint64_t> sizes, const packing_limits& limits, bool ended) noexcept {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(rows_in_full_job(limits), sizes.size()));
    std::size_t fits = 0;
    std::uint64_t bytes = 0;
    while (fits < most && (fits == 0 || sizes[fits] <= limits.bytes - std::min(bytes, limits.bytes))) {
        bytes += sizes[fits++];
    }
    if (fits < most) {
        return static_cast<std::size_t>(whole_chunks(fits, limits.rows_per_chunk));
    }
    return ended || fits == rows_in_full_job(limits) ? fits : 0;
}

std::uint64_t naive_chunks(std::uint64_t rows, std::uint64_t rows_per_job, std::uint64_t rows_per_chunk) noexcept {
    if (rows_per_chunk == 0 || rows_per_job == 0) {
        return 0;
    }
    return rows / rows_per_job * chunks_of(rows_per_job, rows_per_chunk) +
           chunks_of(rows % rows_per_job, rows_per_chunk);
}

}  // namespace vembed::policy
