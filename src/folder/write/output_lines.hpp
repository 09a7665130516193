#pragma once
/// The lines of an output folder's files, as npy_sink writes them and finds them again. See its description for the
/// form of each file.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <vembed/bulk/sink.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// What a line that speaks of one row begins with.
inline constexpr std::string_view row_prefix = "{\"row\":";

/// The number after `prefix` at the start of a line that ends as an object does.
std::optional<std::uint64_t> leading_number(std::string_view line, std::string_view prefix);

/// The row that a line of duplicates.jsonl says another one is a copy of.
std::optional<std::uint64_t> original_of_copy_line(std::string_view line);

/// What a line of receipts.jsonl is about.
class receipt_line {
public:
    std::string job;  ///< The job's id, as the JSON string it is there.
    row_ranges rows;

    receipt_line() = default;
};

/// The job of a line of receipts.jsonl, as receipt_line has it: enough to know the line for one.
std::optional<std::string> job_of_receipt_line(std::string_view line);
std::optional<receipt_line> read_receipt_line(std::string_view line);

// Each writes its line into `line`, whatever that held, without a line feed.
void write_id_line(std::string& line, std::uint64_t index, const source_row& row);
void write_copy_line(std::string& line, std::uint64_t from, std::uint64_t to);
void write_cached_line(std::string& line, std::span<const std::uint64_t> rows);
void write_receipt_line(std::string& line, const batch_proof& proof);

}  // namespace vembed::folder
