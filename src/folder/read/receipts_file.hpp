#pragma once
/// Reads receipts.jsonl: what each job of a folder was attested to be.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// One line of receipts.jsonl. What the run did not ask for is empty.
class proven_job {
public:
    std::uint64_t line = 0;  ///< From 1.
    std::string job_id;
    row_ranges rows;  ///< Corpus rows in the order of the job's inputs.
    std::string output_sha256;
    std::optional<job_results> results;
    std::optional<vembed::receipt> receipt;  ///< raw_text: the receipt's own bytes.
    std::optional<receipt_verification> verification;
    std::string receipt_text;             ///< The receipt's own bytes, whatever they are; empty where there is none.
    std::vector<std::string> objections;  ///< Replies in the line that cannot be read, and why. They are empty above.

    proven_job() = default;

    /// How many rows the job has.
    [[nodiscard]] std::uint64_t row_count() const noexcept;

    /// The corpus rows that the job's inputs [first, end) are, in ascending ranges.
    [[nodiscard]] row_ranges corpus_rows(std::uint64_t first, std::uint64_t end) const;
};

/// The text of a member of a JSON object, exactly as written; nothing where there is none or the object is malformed
/// before it.
std::optional<std::string_view> member_text(std::string_view object, std::string_view key);

/// The most rows that a job is believed to have. The service takes 1000 inputs.
inline constexpr std::uint64_t job_rows_max = std::uint64_t{1} << 20;

/// Reads one line. verification_failed where it is not what vembed writes; a reply in it that cannot be read is an
/// objection.
result<proven_job> read_proven_job(std::string_view line, std::uint64_t number);

/// Calls `see` for every job of the file at `path`; a file that is not there has none. Stops at a failure of `see`;
/// verification_failed at the first line or reply that cannot be read.
result<void> for_each_proven_job(const std::string& path, const std::function<result<void>(const proven_job&)>& see);

}  // namespace vembed::folder
