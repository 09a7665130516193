#pragma once
/// Reads each row of an output folder once from embeddings.npy and checks what can be checked of one row alone.

#include <algorithm>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <vembed/audit/check_tally.hpp>
#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>

#include "folder/records/digest_records.hpp"
#include "folder/records/embedding_file.hpp"

namespace vembed::audit {

/// A receipt is written before its job's rows. If a process ends in between, the next run writes the rows.
inline constexpr const char* not_written_yet = "the run is unfinished and may not have written all of its rows yet";

/// The reason that checks give if --skip-rows left them out.
inline constexpr const char* rows_skipped = "left out, as --skip-rows asks";

/// What is known about a row.
enum class row_kind : std::uint8_t { unknown, bought, failed, copied, cached };

/// "row 37" or "rows 35-39".
std::string rows_text(std::uint64_t first, std::uint64_t end);

class folder_rows {
public:
    /// `recorded_hashes` is rows.sha256, or null if the folder has none. `rows` is the number of rows to look at. The
    /// rows' own hashes are not checked if `skip` is set.
    folder_rows(folder::embedding_file embeddings, folder::digest_records* recorded_hashes, std::uint64_t rows,
                bool skip, std::stop_token stop);

    [[nodiscard]] bool complete() const noexcept { return embeddings_.complete(); }
    /// The number of rows to look at.
    [[nodiscard]] std::uint64_t count() const noexcept { return kinds_.size(); }
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return embeddings_.dimensions(); }
    /// How many of the rows [first, end) are in the file with all their bytes.
    [[nodiscard]] std::uint64_t there(std::uint64_t first, std::uint64_t end) const noexcept;
    /// Reports that rows [first, end) should be in the file and are not.
    void report_missing(std::uint64_t first, std::uint64_t end);

    /// Whether the folder has no rows.sha256.
    [[nodiscard]] bool lacks_hashes() const noexcept { return recorded_ == nullptr; }

    /// Feeds the bytes of rows [first, end) to `into` and checks nothing.
    result<void> hash(std::uint64_t first, std::uint64_t end, sha256& into);

    /// The number of rows that one read should fetch.
    [[nodiscard]] std::uint64_t rows_a_block() const noexcept { return embeddings_.rows_a_block(); }

    /// Reads the values of rows [first, end) into `into`; the span points into it.
    result<std::span<const float>> read(std::uint64_t first, std::uint64_t end, std::vector<float>& into);

    /// Checks values and hashes of rows that were read, from row `first` on. Rows whose hash differs from the one in
    /// rows.sha256 are added to `changed`: the caller, who knows more about them, reports them with report_changed().
    /// If `failed` is set, the rows must be NaN. The error is cancelled if a stop was requested.
    result<void> check(std::uint64_t first, std::span<const float> rows, std::vector<std::uint64_t>& changed,
                       bool failed = false);

    /// Reads rows [first, end) and checks them with check().
    result<void> read_and_check(std::uint64_t first, std::uint64_t end, std::vector<std::uint64_t>& changed,
                                bool failed);

    /// Reports a row whose bytes do not match its hash. `where` is its place, `why` is what its other hashes show.
    void report_changed(check_finding where, std::uint64_t row, std::string_view why);

    /// Checks that row `row` has the same bytes as row `same_as`, of which it is a copy.
    result<void> compare(std::uint64_t row, std::uint64_t same_as);

    [[nodiscard]] row_kind kind(std::uint64_t row) const { return kinds_[row]; }
    void set_kind(std::uint64_t row, row_kind kind) { kinds_[row] = kind; }
    /// Makes every row unknown again.
    void forget_kinds() { std::fill(kinds_.begin(), kinds_.end(), row_kind::unknown); }

    check_tally hashes{"row_hashes", "recorded", "rows",
                       "each row's bytes have the SHA-256 that was noted when the row was written"};
    check_tally values{"row_values", "implied", "rows", "each row is numbers, and not all of them zero"};
    check_tally failed_rows{"failed_rows", "recorded", "rows",
                            "each row that failed or is of a blank line is NaN, so that nobody takes it for one"};
    check_tally copies{"copied_rows", "recorded", "rows", "each copy has the bytes of the row with the same text"};

private:
    void check_values(std::uint64_t first, std::span<const float> rows);
    void check_failed(std::uint64_t first, std::span<const float> rows);
    result<void> check_hashes(std::uint64_t first, std::span<const float> rows, std::vector<std::uint64_t>& changed);

    folder::embedding_file embeddings_;
    folder::digest_records* recorded_;
    bool skip_;
    std::vector<row_kind> kinds_;
    std::vector<float> original_;
    std::vector<digest> hashes_;  ///< A buffer that is used again for each call.
    std::stop_token stop_;
};

}  // namespace vembed::audit
