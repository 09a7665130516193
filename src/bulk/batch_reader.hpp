#pragma once
/// Turns a corpus into batches: numbers the rows, passes over those that are settled, sets aside those the service
/// would refuse, and packs the rest. Synchronous; runs on the environment's worker thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/options.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/bulk/source.hpp>
#include <vembed/core/result.hpp>

namespace vembed::bulk {

/// Rows that travel together. rows[i] is corpus row indices[i]; its text stands in texts[i].
class batch {
public:
    std::uint64_t number = 0;  ///< In the journal; assigned when it is submitted.
    std::string job_id;        ///< Not empty: an earlier process submitted it as this job.
    std::vector<std::uint64_t> indices;
    std::vector<source_row> rows;  ///< Without their texts.
    std::shared_ptr<const std::vector<std::string>> texts;
    std::uint32_t refunds = 0;

    batch() = default;
};

/// The rows [first, last) of a batch as a batch of their own, not yet submitted.
batch part_of(const batch& whole, std::size_t first, std::size_t last);

/// Rows by what an earlier process left of them.
class settled_rows {
public:
    void add(const row_ranges& rows);

    /// Whether `row` is among them. Rows must be asked for in ascending order, after the last add().
    bool pass(std::uint64_t row);

private:
    row_ranges ranges_;
    std::size_t next_ = 0;
    bool sorted_ = true;
};

class batch_limits {
public:
    std::uint64_t rows = 1000;
    std::uint64_t bytes = 8 << 20;

    batch_limits() = default;
};

/// How far a corpus was read.
class reader_counts {
public:
    std::uint64_t rows_read = 0;
    std::uint64_t rows_done_before = 0;
    std::uint64_t rows_failed = 0;
    bool ended = false;

    reader_counts() = default;
};

class batch_reader {
public:
    /// `journal` may be null. All must outlive the reader.
    batch_reader(row_source* source, row_sink* sink, run_journal* journal, error_policy on_error);

    /// Rows that need nothing any more, rows that failed, rows to be left alone, and jobs to take up again.
    void skip_done(const row_ranges& rows) { done_.add(rows); }
    void skip_failed(const std::vector<std::uint64_t>& rows);
    void skip_parked(const row_ranges& rows) { parked_.add(rows); }
    void take_up(const journalled_batch& accepted);

    /// The next batch, or nothing at the end of the corpus. bad_input under error_policy::stop; folder_mismatch where
    /// the corpus ends before the last row of a job taken up; the source's, the sink's and the journal's failures.
    result<std::optional<batch>> next(const batch_limits& limits);

    /// Rows that will not come: tells the sink and then, once that is durable, the journal.
    result<void> fail(const std::vector<failed_row>& rows);

    [[nodiscard]] const reader_counts& counts() const noexcept { return counts_; }

private:
    class building {
    public:
        batch made;
        std::vector<std::string> texts;
        std::uint64_t bytes = 0;
        std::uint64_t rows_wanted = 0;  ///< Of a job taken up again.

        building() = default;
        void add(std::uint64_t index, source_row row);
        batch finish();
    };

    result<std::optional<batch>> place(std::uint64_t index, source_row row, const batch_limits& limits);
    building* taken_up_by(std::uint64_t index);
    result<bool> refuse(std::uint64_t index, source_row& row);
    [[nodiscard]] result<void> check_taken_up() const;

    row_source* source_;
    row_sink* sink_;
    run_journal* journal_;
    error_policy on_error_;
    settled_rows done_;
    settled_rows failed_;
    settled_rows parked_;
    std::map<std::uint64_t, building> taken_up_;                                      ///< By batch number.
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> taken_up_rows_;  ///< Range start → end, batch.
    building current_;
    reader_counts counts_;
};

}  // namespace vembed::bulk
