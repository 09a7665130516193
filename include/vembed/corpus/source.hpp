#pragma once
/// @file
/// The sources of a corpus: rows of text, read one after the other.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed {

/// One text of a corpus.
class source_row {
public:
    std::string text;
    std::string id;      ///< The caller's own name for the row; empty if the source has none.
    std::string origin;  ///< For messages: "corpus.jsonl:17"; empty if there is no such place.
    std::string defect;  ///< Why this row of the corpus cannot be embedded; empty: it can. With a defect, `text` is
                         ///< what could be read of it.
    std::string raw;     ///< For a row with a defect: the first 256 KiB of its line or record as the corpus has it.
    std::uint64_t raw_bytes = 0;  ///< For a row with a defect: the whole length of its line or record.
    std::uint64_t line = 0;       ///< The row's line, from 1, if lines are left out before rows; else 0.
    bool blank = false;  ///< A blank line that keeps its place (blank_lines::keep): not embedded, and no error.

    source_row() = default;
};

/// A corpus. Rows are numbered 0, 1, … in the order next() gives them; that number is the row's place in every output.
///
/// It is called on a worker thread that only reads sources, one call at a time, so blocking is fine: a run that is
/// cancelled, asked to stop or past its deadline ends when the call under way returns. The sink is called on another
/// thread meanwhile. The same corpus must give the same rows each time it is read: resuming a run relies on it.
class row_source {
public:
    row_source() = default;
    row_source(const row_source&) = delete;
    row_source& operator=(const row_source&) = delete;
    virtual ~row_source() = default;

    /// Returns the next row, or nothing at the end. bad_input, with file and line, if the corpus cannot be read as what
    /// it claims to be; io if a file cannot be read.
    virtual result<std::optional<source_row>> next() = 0;

    /// The number of rows, if it is known without reading them. It is used for progress only.
    [[nodiscard]] virtual std::optional<std::uint64_t> size_hint() const { return std::nullopt; }
};

/// How the lines of a file become rows. Lines end with LF or CRLF.
enum class corpus_format : std::uint8_t {
    automatic,  ///< By the name: .jsonl/.ndjson/.jl/.jsonlines, .csv, .tsv; else lines, if the content looks like it.
    lines,      ///< Each line is a text. file_source_options::blank says what becomes of blank ones.
    jsonl,      ///< Each line is a JSON object with a text field and perhaps an id field. Blank lines are passed over.
    csv,        ///< RFC 4180 with a header line naming the text and id columns; quoted fields may hold line ends and
                ///< doubled quotes. Empty lines between records are passed over.
    tsv,        ///< A header line and fields separated by tabs; a quote is a character like any other, unless
                ///< file_source_options::tsv_quotes says otherwise.
};

/// What becomes of the blank lines of plain lines: those with nothing but spaces and tabs.
enum class blank_lines : std::uint8_t {
    keep,  ///< A row without values, so that row i is line i; it does not count as failed.
    fail,  ///< A row that fails.
    skip,  ///< No row. The other rows have their lines (source_row::line).
};

class file_source_options {
public:
    corpus_format format = corpus_format::automatic;
    std::string text_field = "text";  ///< JSONL field (a string) or CSV column of the text.
    std::string id_field;             ///< JSONL field (a string, or a number taken as it is written) or CSV column of
                                      ///< the id; empty: rows have no id of their own.
    std::uint64_t max_record_bytes = 16 * 1024 * 1024;  ///< 1 to 1 GiB. A longer line is one row with a defect.
    bool tsv_quotes = false;                            ///< TSV has quoted fields as CSV does.
    blank_lines blank = blank_lines::keep;
    /// The bytes read of the files, as they are stored, are added here. They are ahead of the rows by a block. Null:
    /// they are not counted.
    std::shared_ptr<std::atomic<std::uint64_t>> bytes_read;

    file_source_options() = default;
};

/// Rows of one or more files, read lazily in the order given, one 256 KiB block at a time. gzip and zstd (any number of
/// members or frames) are decompressed on the way; a file's first bytes tell what it holds, not its name. A UTF-8 byte
/// order mark is dropped. `origin` is "file:line" with the line where the record begins, from 1.
///
/// Every file is opened and its first records read before this returns, so that a wrong name, field or format is known
/// before anything is sent:
///   invalid_argument  no files, options that do not fit, a field or column that none of the first 1000 records has
///                     (the message lists those there are), content that looks like another format, UTF-16, CR line
///                     ends, a compression other than gzip and zstd
///   io                a file cannot be opened or read
///   bad_input         not a regular file; none of the first 1000 records can be read
/// A record that cannot be understood (not JSON, no text, no id if ids are asked for, another number of columns than
/// the header, a zero byte, longer than max_record_bytes) is one row with a `defect`: the corpus goes on after it. In
/// JSON only the two fields that are asked for have to be right; the others need only be told apart. After a record
/// whose quotes are wrong (CSV) reading goes on at the next line that begins a record of the header's width with quotes
/// around whole fields only; what is between belongs to the bad row. next() fails with bad_input if it cannot tell how
/// to go on: damaged or truncated compressed data. After an error every next() fails the same way.
///
/// failed.jsonl (see npy_sink) is a corpus as well. A row that could not be read fails again unless somebody has given
/// it a text.
result<std::unique_ptr<row_source>> open_files(std::vector<std::string> paths, file_source_options options = {});

/// Identifies a corpus, for run_identity::corpus: SHA-256 in lower-case hex over the files' bytes, decompressed, and
/// the options and reading rules that decide what rows they give. The files' names do not count, nor does
/// max_record_bytes. Reads every file once (about 1 to 2 GB/s), or twice if the file begins with a byte order mark or
/// does not end with LF. Fails as open_files does. run_folder()'s fingerprint of a file that begins with a mark or does
/// not end with LF is another one, which leaves the mark and the last line end out: only run_folder(), and so the
/// program, can continue the folder of such a run.
result<std::string> fingerprint_files(const std::vector<std::string>& paths, const file_source_options& options = {});

/// The texts of a vector.
class vector_source : public row_source {
public:
    explicit vector_source(std::vector<std::string> texts);
    result<std::optional<source_row>> next() override;
    [[nodiscard]] std::optional<std::uint64_t> size_hint() const override;

private:
    std::vector<std::string> texts_;
    std::size_t next_ = 0;
};

/// The lines of one file: open_files with corpus_format::lines, opened at the first next().
class line_source : public row_source {
public:
    explicit line_source(std::string path);
    result<std::optional<source_row>> next() override;

private:
    std::string path_;
    std::unique_ptr<row_source> source_;
};

/// Texts from a function that returns the next one, or nothing at the end; it is not called again after that. An
/// exception from it is reported as callback_failed.
class generator_source : public row_source {
public:
    explicit generator_source(std::function<std::optional<std::string>()> next_text);
    result<std::optional<source_row>> next() override;

private:
    std::function<std::optional<std::string>()> next_text_;
    bool ended_ = false;
};

}  // namespace vembed
