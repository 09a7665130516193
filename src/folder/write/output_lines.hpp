#pragma once
/// Writes and recognizes the lines of an output folder's files. The description of npy_sink has the form of each file.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <vembed/bulk/sink.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// The start of a line about one row.
inline constexpr std::string_view row_prefix = "{\"row\":";

/// The number after `prefix` at the start of a line, if the line ends with a closing brace.
std::optional<std::uint64_t> leading_number(std::string_view line, std::string_view prefix);

/// The original row in a line of duplicates.jsonl.
std::optional<std::uint64_t> original_of_copy_line(std::string_view line);

/// The job and the rows of a line of receipts.jsonl.
class receipt_line {
public:
    std::string job;  ///< The job's id as a JSON string, in the form that the line has.
    row_ranges rows;

    receipt_line() = default;
};

/// The job of a line of receipts.jsonl, in the form of receipt_line::job. It is enough to recognize such a line.
std::optional<std::string> job_of_receipt_line(std::string_view line);
std::optional<receipt_line> read_receipt_line(std::string_view line);

// Each of these functions replaces the content of `line` by its line, without a line feed.
void write_id_line(std::string& line, std::uint64_t index, const source_row& row);
void write_copy_line(std::string& line, std::uint64_t from, std::uint64_t to);
void write_cached_line(std::string& line, std::span<const std::uint64_t> rows);
void write_receipt_line(std::string& line, const job_evidence& proof);

}  // namespace vembed::folder
