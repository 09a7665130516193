#pragma once
/// Reads receipts.jsonl, which has the evidence of each job of a folder.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// One line of receipts.jsonl. A response that the run did not request is empty.
class proven_job {
public:
    std::uint64_t line = 0;  ///< The line's number, from 1.
    std::string job_id;
    row_ranges rows;  ///< Corpus rows in the order of the job's inputs.
    std::string output_sha256;
    std::optional<job_results> results;
    std::optional<vembed::receipt> receipt;  ///< Its raw_text has the receipt's own bytes.
    std::optional<receipt_verification> verification;
    std::string receipt_text;             ///< The receipt's own bytes, valid or not; empty if there is none.
    std::vector<std::string> objections;  ///< The unreadable responses of the line, which are empty above, and why.

    proven_job() = default;

    /// The number of rows that the job has.
    [[nodiscard]] std::uint64_t row_count() const noexcept;

    /// The corpus rows of the job's inputs [first, end), in ascending ranges.
    [[nodiscard]] row_ranges corpus_rows(std::uint64_t first, std::uint64_t end) const;
};

/// The text of a member of a JSON object, exactly as written. Returns nothing if there is no such member, or if the
/// object is malformed before it.
std::optional<std::string_view> member_text(std::string_view object, std::string_view key);

/// A line with more rows than this is not accepted. The service takes 1000 inputs per job.
inline constexpr std::uint64_t job_rows_max = std::uint64_t{1} << 20;

/// Reads one line. verification_failed if vembed writes no such line. A response in it that cannot be read becomes an
/// objection.
result<proven_job> read_proven_job(std::string_view line, std::uint64_t number);

/// Calls `see` for every job of the file at `path`. A missing file has no jobs. Stops at an error of `see`;
/// verification_failed at the first line or response that cannot be read.
result<void> for_each_proven_job(const std::string& path, const std::function<result<void>(const proven_job&)>& see);

}  // namespace vembed::folder
