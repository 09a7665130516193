#pragma once
/// How many inputs a chunk takes, as jobs show it: what a job is expected to cost must not fall short of its charge.

#include <cstdint>

namespace vembed::policy {

class learned_chunk_size {
public:
    learned_chunk_size() = default;

    /// 0: nothing is known.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

    /// A chunk was seen to hold that many rows. A job from before the size shrank tells nothing of it.
    void chunk_held(std::uint64_t rows) noexcept;

    /// A job of `rows` rows was charged with `chunks`: they take at least ceil(rows / chunks) each. A job that took
    /// more chunks than expected shows that the size shrank.
    void job_took(std::uint64_t rows, std::uint64_t chunks) noexcept;

private:
    std::uint64_t rows_ = 0;
    std::uint64_t rows_max_ = UINT64_MAX;  ///< Since it shrank; the newest job that was accepted may raise it.
};

/// What is known of a chunk's rows before a run's first job; 0: nothing.
class prior_chunk_sizes {
public:
    std::uint64_t said = 0;         ///< By the caller.
    std::uint64_t gone_by = 0;      ///< By the run before, whoever said it.
    std::uint64_t shown = 0;        ///< The same, where jobs_showed_size().
    std::uint64_t remembered = 0;   ///< By this machine, of other runs.
    bool remembered_whole = false;  ///< Else a chunk takes at least that many.

    prior_chunk_sizes() = default;
};

/// Whether some job of a run had more than one chunk, and so showed how many rows a chunk takes: `chunks` were charged
/// for `batches` that were sent, at least.
constexpr bool jobs_showed_size(std::uint64_t chunks, std::uint64_t batches) noexcept {
    return chunks > batches;
}

/// The size to go by until jobs show another; 0: nothing is known. The caller's word counts before what was seen, since
/// the service may have changed. Where spending has a cap, the smallest counts: smaller chunks are more of them, and
/// the first job alone could pass the cap.
std::uint64_t expected_chunk_size(const prior_chunk_sizes& known, bool capped) noexcept;

}  // namespace vembed::policy
