#pragma once
/// The rows of one corpus file, in any of its formats.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

#include "corpus/lines/line_reader.hpp"

namespace vembed::corpus {

class record_reader {
public:
    record_reader() = default;
    record_reader(const record_reader&) = delete;
    record_reader& operator=(const record_reader&) = delete;
    virtual ~record_reader() = default;

    /// Sets every field of `row` to the next record's. False at the end. Fails with bad_input if it cannot be told how
    /// to go on; a record that cannot be understood is a row with a `defect`.
    virtual result<bool> next(source_row& row) = 0;

    /// Called if each of the first records had a defect: why the file does not have the assumed format; nothing if it
    /// may have it nevertheless. `first` is the first record's defect.
    [[nodiscard]] virtual std::optional<error> why_not_begun(const error& first) const { return first; }
};

/// The largest part of a record with a defect that is kept, in bytes.
inline constexpr std::size_t raw_bytes_max = 256 * 1024;

/// Clears the row and sets its origin.
void begin_row(source_row& row, std::string origin);

/// Keeps the beginning of a record that has a defect, as it is in the corpus, and its full size `whole_bytes`.
void keep_raw(source_row& row, std::string_view record, std::uint64_t whole_bytes);

/// The defect of a line that is longer than `bytes`.
std::string too_long_defect(std::uint64_t bytes);

/// `format`, or if it is automatic, the format by the file's name; lines if the name does not tell it.
corpus_format resolve_format(corpus_format format, const std::string& path);

/// The format's name for messages and fingerprints: "jsonl".
std::string_view format_name(corpus_format format) noexcept;

result<std::unique_ptr<record_reader>> open_records(const std::string& path, const file_source_options& options,
                                                    std::uint32_t rules);

/// The differences between CSV and the formats like it.
class csv_form {
public:
    csv_form(char separated_by, bool with_quotes) : separator(separated_by), quotes(with_quotes) {}

    char separator;
    bool quotes;  ///< A field that begins with a quote ends at its closing one; if false, quotes are normal.
};

/// Whether a line holds nothing but spaces and tabs.
bool is_blank(std::string_view line);

/// Why a text that holds a zero byte is not embedded; empty if it holds none.
std::string why_zero_bytes(std::string_view text);

std::unique_ptr<record_reader> make_line_records(line_reader lines, const file_source_options& options,
                                                 std::uint32_t rules);
std::unique_ptr<record_reader> make_jsonl_records(line_reader lines, const file_source_options& options,
                                                  std::uint32_t rules);
std::unique_ptr<record_reader> make_csv_records(line_reader lines, csv_form form, const file_source_options& options,
                                                std::uint32_t rules);

/// "file:line", the form of every origin.
std::string origin_of(const line_reader& lines, std::uint64_t line);

/// A name from a file in a form that a message can quote: printable and short.
std::string quoted(std::string_view name);

/// The names joined for a message: "a", "b", "c".
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace vembed::corpus
