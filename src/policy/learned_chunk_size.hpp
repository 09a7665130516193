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

}  // namespace vembed::policy
