#pragma once
/// The rows of one corpus file, in any of its formats.

#include <cstdint>
#include <memory>
#include <string>

#include <vembed/bulk/source.hpp>
#include <vembed/core/result.hpp>

#include "bulk/line_reader.hpp"

namespace vembed::bulk {

class record_reader {
public:
    record_reader() = default;
    record_reader(const record_reader&) = delete;
    record_reader& operator=(const record_reader&) = delete;
    virtual ~record_reader() = default;

    /// Sets every field of `row` to the next record's. False at the end. bad_input where the file's first record is
    /// not what its format says, or where it cannot be told how to go on; any other record that cannot be understood
    /// is a row with a `defect`.
    virtual result<bool> next(source_row& row) = 0;
};

/// `format` with automatic resolved by the file's name; lines where that tells nothing.
corpus_format resolve_format(corpus_format format, const std::string& path);

/// The format's name for messages and fingerprints: "jsonl".
std::string_view format_name(corpus_format format) noexcept;

result<std::unique_ptr<record_reader>> open_records(const std::string& path, const file_source_options& options,
                                                    std::uint32_t rules);

/// What CSV and its kin differ in.
class csv_form {
public:
    csv_form(char separated_by, bool with_quotes) : separator(separated_by), quotes(with_quotes) {}

    char separator;
    bool quotes;  ///< A field that begins with a quote ends at its closing one; else a quote is a character.
};

/// Why a text that holds a zero byte is not embedded; empty where it holds none.
std::string why_zero_bytes(std::string_view text);

std::unique_ptr<record_reader> make_line_records(line_reader lines, std::uint32_t rules);
std::unique_ptr<record_reader> make_jsonl_records(line_reader lines, const file_source_options& options,
                                                  std::uint32_t rules);
std::unique_ptr<record_reader> make_csv_records(line_reader lines, csv_form form, const file_source_options& options,
                                                std::uint32_t rules);

/// "file:line", the form of every origin.
std::string origin_of(const line_reader& lines, std::uint64_t line);

/// A name from a file, as a message may quote it: printable and short.
std::string quoted(std::string_view name);

/// The names joined for a message: "a", "b", "c".
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace vembed::bulk
