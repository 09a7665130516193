#pragma once
/// Where each row of an output folder comes from: a job, a copy, a cache, or nowhere because it failed.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>

#include "audit/check_tally.hpp"
#include "audit/folder_rows.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// Calls are made in the order expect_job…, cover_job…, check_failed, check_reused, finish.
///
/// What several lines claim is gone over a bounded number of times, whatever the lines are: a small file must not take
/// hours.
class folder_coverage {
public:
    /// `texts`: texts.sha256, or null where the folder has none.
    folder_coverage(std::string folder, folder_rows& rows, folder::digest_records* texts, std::stop_token stop);

    /// Whether the job's rows are its own, going by the jobs that were expected before it.
    [[nodiscard]] bool expect_job(const folder::proven_job& job);

    /// All jobs were expected: now they are covered.
    void begin();

    /// The job's rows are its own: blames what is not. False where any is not: then those that are have been read, and
    /// need not be again. cancelled if a stop was asked for.
    result<bool> cover_job(const folder::proven_job& job);

    /// Reads failed.jsonl and its rows.
    result<void> check_failed();

    /// Reads cached.jsonl and duplicates.jsonl and their rows.
    result<void> check_reused();

    /// What is left belongs to nothing. Reads those rows too, for their hashes.
    result<void> finish();

    check_tally coverage{"row_coverage", "recorded", "rows",
                         "each row comes from one job, or is a copy, or from a cache, or failed or is of a blank line"};
    check_tally cached{"cached_rows", "recorded", "rows",
                       "rows that another run bought; the receipts are in that run's folder"};
    std::uint64_t rows_failed = 0;  ///< Lines of failed.jsonl but for those of blank lines.
    std::uint64_t rows_blank = 0;
    std::uint64_t rows_refused = 0;             ///< Of those, because a check of what came for their job failed.
    std::uint64_t rows_in_receipts = 0;         ///< Bought by the folder's own jobs.
    std::uint64_t rows_copied = 0;              ///< Copies of rows with the same text.
    std::uint64_t rows_copied_from_cached = 0;  ///< Of those, of rows that came from the cache.
    std::uint64_t rows_cached = 0;              ///< Bought by other runs.

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
    std::uint64_t repeats_left_;  ///< How many more rows are looked at that belong to something already.
    std::stop_token stop_;
};

}  // namespace vembed::audit
