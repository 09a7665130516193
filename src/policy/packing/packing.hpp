#pragma once
/// Cuts rows into jobs so that chunks are full: a half-filled chunk costs as much as a full one.

#include <cstdint>
#include <optional>
#include <span>

namespace vembed::policy {

/// What one job may hold.
class packing_limits {
public:
    std::uint64_t rows = 1000;            ///< At least 1.
    std::uint64_t bytes = 8u << 20;       ///< Bytes of text. A single longer text still makes a job.
    std::uint64_t rows_per_chunk = 0;     ///< 0: not known.
    std::optional<std::uint64_t> chunks;  ///< Per job.

    packing_limits() = default;
};

/// The number of chunks of a job of `rows` rows.
std::uint64_t chunks_of(std::uint64_t rows, std::uint64_t rows_per_chunk) noexcept;

/// The row at which to split a job of more than one row: a chunk boundary if it has more than one chunk, else the
/// middle.
std::uint64_t half_of(std::uint64_t rows, std::uint64_t rows_per_chunk) noexcept;

/// The number of rows of a full job: as many whole chunks as the limits allow, or as many rows if not one chunk fits.
std::uint64_t rows_in_full_job(const packing_limits& limits) noexcept;

/// How many of the first pending rows make the next job, given the sizes of their texts in bytes; 0 if it is worth
/// waiting for more rows. `ended` means that no more will come.
std::size_t rows_to_take(std::span<const std::uint64_t> sizes, const packing_limits& limits, bool ended) noexcept;

/// The cost in chunks of `rows` rows that are cut into jobs of `rows_per_job` without regard to chunks; 0 if the chunk
/// size is not known.
std::uint64_t naive_chunks(std::uint64_t rows, std::uint64_t rows_per_job, std::uint64_t rows_per_chunk) noexcept;

}  // namespace vembed::policy
