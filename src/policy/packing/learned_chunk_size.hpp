#pragma once
/// Learns from jobs how many inputs fill a chunk. A job's estimated cost must not be lower than its charge.

#include <cstdint>

namespace vembed::policy {

class learned_chunk_size {
public:
    learned_chunk_size() = default;

    /// 0 if nothing is known.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

    /// A chunk was seen to hold that many rows. The call is ignored if the size is known to be smaller now: the job is
    /// older.
    void chunk_held(std::uint64_t rows) noexcept;

    /// A job of `rows` rows was charged `chunks`, so a chunk holds at least ceil(rows / chunks) rows. If the job took
    /// more chunks than expected, the size shrank.
    void job_took(std::uint64_t rows, std::uint64_t chunks) noexcept;

private:
    std::uint64_t rows_ = 0;
    /// The upper bound since the size shrank; a newer accepted job may raise it.
    std::uint64_t rows_max_ = UINT64_MAX;
};

/// What is known about the rows of a chunk before a run's first job. 0 means that nothing is known.
class prior_chunk_sizes {
public:
    std::uint64_t said = 0;         ///< The caller set it.
    std::uint64_t gone_by = 0;      ///< The previous run used it, whoever set it.
    std::uint64_t shown = 0;        ///< The previous run used it, and jobs_showed_size() was true.
    std::uint64_t remembered = 0;   ///< This machine remembers it from other runs.
    bool remembered_whole = false;  ///< True if it is exact, false if it is a lower bound.

    prior_chunk_sizes() = default;
};

/// True if some job of a run had more than one chunk, and so showed how many rows fill a chunk. At least `chunks` were
/// charged for `batches` that were sent.
constexpr bool jobs_showed_size(std::uint64_t chunks, std::uint64_t batches) noexcept {
    return chunks > batches;
}

/// The size to assume until jobs show another; 0 if nothing is known. The value that the caller set has priority over
/// older observations, since the service may have changed. If spending has a cap, the smallest value is used: smaller
/// chunks cost more, and the first job alone could exceed the cap.
std::uint64_t expected_chunk_size(const prior_chunk_sizes& known, bool capped) noexcept;

}  // namespace vembed::policy
