#pragma once
/// Batches that were sent and may have been charged although no response came: pure.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <vembed/bulk/options.hpp>

#include "bulk/batches/batch.hpp"
#include "bulk/values/chunk_budget.hpp"
#include "policy/quota/reconcile.hpp"

namespace vembed::bulk {

/// Whether the rows of a batch in doubt are left out, at least until more is known.
inline bool stays_out(const unknown_batch& entry) noexcept {
    return !entry.resubmitted && !entry.not_charged;
}

/// The entry of a batch in doubt says what became of its rows; the report shows the entry as it is.
class in_doubt_batches {
public:
    /// Bytes of texts to keep, so that a batch can be submitted again without reading the corpus again.
    static constexpr std::uint64_t bytes_max = 4 << 20;

    in_doubt_batches() = default;

    /// Makes the entry of a batch. It is resubmitted if the budget for resubmissions still covers it.
    static unknown_batch entry_of(const batch& item, std::string reason, std::uint64_t rows_per_chunk,
                                  chunk_budget* budget);
    const unknown_batch& add(unknown_batch entry);
    /// Keeps the texts of the batch that was added last, if there is room; otherwise a later run reads them again.
    void keep_texts(const batch& item);
    /// Adds a batch that an earlier process left, without its texts.
    const unknown_batch& adopt(const journalled_batch& left, policy::unknown_verdict verdict,
                               std::uint64_t rows_per_chunk, chunk_budget* budget);

    /// Records that no batch in doubt was charged. Returns their numbers in the journal; take_released() gives out
    /// those whose texts are at hand.
    std::vector<std::uint64_t> release();
    std::optional<batch> take_released();
    /// Records what the account's count says of the batches that may have been charged.
    void note(policy::unknown_verdict verdict);
    /// The next batch at hand that the budget for resubmissions covers. It covers fewer if no job has shown what a
    /// chunk takes. The batch counts as resubmitted from now on.
    std::optional<batch> take_affordable(std::uint64_t rows_per_chunk, chunk_budget* budget);

    /// Lowers estimates that are too high because they were made before the chunk size was known. Spent budget stays
    /// spent.
    void lower_estimates(std::uint64_t rows_per_chunk);

    [[nodiscard]] const std::vector<unknown_batch>& entries() const noexcept { return entries_; }
    /// The most chunks that the batches may take of which it is not known whether they were charged.
    [[nodiscard]] std::uint64_t chunks_open() const noexcept;
    /// Rows that are left out, and how many of them are certainly not bought: the next run reads those again.
    [[nodiscard]] std::uint64_t rows_out() const noexcept { return rows_out_; }
    [[nodiscard]] std::uint64_t rows_released() const noexcept { return rows_released_; }

private:
    class kept_batch {
    public:
        std::size_t entry = 0;
        batch rows;

        kept_batch() = default;
    };

    std::vector<unknown_batch> entries_;
    std::deque<kept_batch> kept_;
    std::deque<kept_batch> released_;
    std::uint64_t bytes_kept_ = 0;
    std::uint64_t rows_out_ = 0;
    std::uint64_t rows_released_ = 0;
};

}  // namespace vembed::bulk
