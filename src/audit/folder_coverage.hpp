#pragma once
/// Finds where each row of an output folder comes from: a job, a copy, a cache, or nowhere because it failed.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/audit/check_tally.hpp>
#include <vembed/core/result.hpp>

#include "audit/folder_rows.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// The caller must make the calls in the order expect_job…, begin, cover_job…, check_failed, check_reused, finish.
///
/// Rows that several lines claim are read a bounded number of times, so that a small damaged file cannot make the check
/// take hours.
class folder_coverage {
public:
    /// `texts` is texts.sha256, or null if the folder has none.
    folder_coverage(std::string folder, folder_rows& rows, folder::digest_records* texts, std::stop_token stop);

    /// Whether the job's rows are its own, judged by the jobs that were expected before it.
    [[nodiscard]] bool expect_job(const folder::proven_job& job);

    /// Ends the calls of expect_job() and starts those of cover_job().
    void begin();

    /// Marks the job's rows as its own and reports each row that is not. Returns false if any row is not its own: the
    /// rows that are its own were then read, and need not be read again. The error is cancelled if a stop was
    /// requested.
    result<bool> cover_job(const folder::proven_job& job);

    /// Reads failed.jsonl and the rows that it lists.
    result<void> check_failed();

    /// Reads cached.jsonl and duplicates.jsonl and the rows that they list.
    result<void> check_reused();

    /// Reports the rows that belong to nothing. It reads those rows too, for their hashes.
    result<void> finish();

    check_tally coverage{"row_coverage", "recorded", "rows",
                         "each row comes from one job, or is a copy, or from a cache, or failed or is of a blank line"};
    check_tally cached{"cached_rows", "recorded", "rows",
                       "rows that another run bought; the receipts are in that run's folder"};
    std::uint64_t rows_failed = 0;  ///< The number of lines in failed.jsonl without those for blank lines.
    std::uint64_t rows_blank = 0;
    std::uint64_t rows_refused = 0;             ///< Failed rows whose job's responses failed a check.
    std::uint64_t rows_in_receipts = 0;         ///< Rows that the folder's own jobs bought.
    std::uint64_t rows_copied = 0;              ///< Copies of rows with the same text.
    std::uint64_t rows_copied_from_cached = 0;  ///< Copies of rows that came from the cache.
    std::uint64_t rows_cached = 0;              ///< Rows that other runs bought.

private:
    [[nodiscard]] row_ranges claim(const folder::proven_job& job,
                                   const std::function<void(row_ranges::value_type)>& shared);
    [[nodiscard]] std::uint64_t end_of_known(std::uint64_t first, std::uint64_t end);
    void blame(std::uint64_t first, std::uint64_t end, std::string_view what);
    [[nodiscard]] result<void> check_alone(std::uint64_t first, std::uint64_t end, std::string_view where,
                                           bool failed = false);
    [[nodiscard]] result<void> check_failed_line(std::string_view line, std::uint64_t number);
    [[nodiscard]] result<void> check_cached(std::uint64_t first, std::uint64_t end);
    [[nodiscard]] result<void> check_copy(std::uint64_t row, std::uint64_t same_as);
    [[nodiscard]] result<void> compare_texts(std::uint64_t row, std::uint64_t same_as);

    std::string folder_;
    folder_rows* rows_;
    folder::digest_records* texts_;
    std::uint64_t repeats_left_;  ///< How many more rows that already belong to something will be read.
    std::stop_token stop_;
};

}  // namespace vembed::audit
