#pragma once
/// Turns a corpus into batches. The reader numbers the rows, passes over settled ones, fails those that the service
/// would refuse, gives duplicates and cached rows their values without a job, and packs the rest. It is synchronous and
/// runs on the environment's worker thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/journal/journal.hpp>

#include "bulk/batches/batch.hpp"
#include "bulk/batches/feed.hpp"
#include "bulk/batches/saved_rows.hpp"
#include "core/row_set.hpp"
#include "reuse/dedup_index.hpp"

namespace vembed::bulk {

/// How far a corpus was read, and what became of rows without a job.
class reader_counts {
public:
    std::uint64_t rows_read = 0;
    std::uint64_t rows_done_before = 0;
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_blank = 0;      ///< rows_failed does not include them.
    std::uint64_t rows_duplicate = 0;  ///< Duplicates that were found.
    std::uint64_t rows_copied = 0;     ///< Duplicates that have their values.
    std::uint64_t rows_cached = 0;
    std::string spec_hash_of_cached;  ///< The cached rows were bought under it; empty if there are none.
    std::uint64_t dimensions_of_cached = 0;
    std::string cache_trouble;  ///< Why the cache is not used any longer; empty if it is.
    bool ended = false;

    reader_counts() = default;
};

/// What a reader works with. All but source and sink may be null; all must outlive the reader.
class reader_parts {
public:
    row_source* source = nullptr;
    row_sink* sink = nullptr;
    run_journal* journal = nullptr;
    saved_rows* saved = nullptr;
    const feed* fed_by = nullptr;  ///< The same as `source`, if its rows come from elsewhere.
    error_policy on_error = error_policy::skip;

    reader_parts() = default;
};

class batch_reader {
public:
    explicit batch_reader(reader_parts parts) : parts_(parts) {}

    /// Looks for duplicates from now on. To be called before the first next().
    void find_duplicates(std::unique_ptr<reuse::dedup_index> index) { duplicates_ = std::move(index); }

    [[nodiscard]] bool finds_duplicates() const noexcept { return duplicates_ != nullptr; }

    /// What earlier processes left: rows that are done, rows that failed, rows to be left alone, and jobs to take up
    /// again.
    void skip_done(const row_ranges& rows) { written_.add(rows); }
    void skip_failed(std::uint64_t first, std::uint64_t last) { failed_.add({{first, last}}); }
    void skip_parked(const row_ranges& rows) { parked_.add(rows); }
    void take_up(const journalled_batch& accepted) { jobs_.expect(accepted); }

    /// The next batch, or nothing: at the end of the corpus, or if the source is_hungry(). Errors are bad_input under
    /// error_policy::stop; folder_mismatch if the corpus ends before the last row of a job taken up; those of the
    /// source, the sink and the journal.
    result<std::optional<batch>> next(const policy::packing_limits& limits);

    [[nodiscard]] bool is_hungry() const noexcept { return parts_.fed_by != nullptr && parts_.fed_by->hungry(); }

    /// Tells the sink of rows that will not come. The caller tells the journal, once that is durable.
    result<void> give_up(const std::vector<failed_row>& rows);

    /// Notes rows that the sink has.
    void wrote(const std::vector<std::uint64_t>& indices);

    /// Notes rows that the sink has no longer. Those not read yet are left alone from now on. Returns how many were
    /// counted as done.
    std::uint64_t withdraw(const std::vector<std::uint64_t>& indices);

    /// Gives waiting duplicates their values, or the error of the row that they repeat, for up to `most` of them. False
    /// if none are left to look at.
    result<bool> settle_duplicates(std::size_t most);

    [[nodiscard]] const reader_counts& counts() const noexcept { return counts_; }

private:
    class block {
    public:
        std::vector<row_in_hand> to_buy;
        std::vector<failed_row> refused;
        std::uint64_t bytes = 0;

        block() = default;
    };

    result<void> read_block();
    result<void> take_in(row_in_hand row, block& into);
    bool was_taken(row_in_hand& row);
    result<void> refuse(row_in_hand row, std::string why, block& into);
    result<void> fail(const std::vector<failed_row>& rows);
    result<void> take_duplicate(const row_in_hand& row, std::uint64_t original);
    result<void> copy(std::uint64_t from, std::uint64_t to);
    result<void> serve_saved(block& of);
    [[nodiscard]] result<failed_row> failed_like(const reuse::deferred_row& waiting);

    reader_parts parts_;
    core::row_set written_;  ///< An earlier process or this one wrote them to the sink.
    core::row_set failed_;   ///< They failed in an earlier process or in this one.
    core::row_set parked_;
    job_gatherer jobs_;
    packer packer_;
    std::unique_ptr<reuse::dedup_index> duplicates_;
    std::uint64_t next_waiting_ = 0;  ///< The next row that settle_duplicates() looks at.
    reader_counts counts_;
};

}  // namespace vembed::bulk
