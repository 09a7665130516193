#pragma once
/// Where a corpus comes from: rows of text, read one after the other.

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
    std::string id;      ///< The caller's own name for the row; empty where the source has none.
    std::string origin;  ///< For messages: "corpus.jsonl:17"; empty where there is no such place.
    std::string defect;  ///< Not empty: the corpus has a row here that cannot be read, and why; `text` is then empty.

    source_row() = default;
};

/// A corpus. Rows are numbered 0, 1, … in the order next() gives them; that number is the row's place in every output.
///
/// Called on the environment's worker thread, one call at a time, so blocking is fine. The same corpus must give the
/// same rows each time it is read: resuming a run relies on it.
class row_source {
public:
    row_source() = default;
    row_source(const row_source&) = delete;
    row_source& operator=(const row_source&) = delete;
    virtual ~row_source() = default;

    /// The next row, or nothing at the end. bad_input where the corpus cannot be read as what it claims to be, with
    /// file and line; io where a file cannot be read.
    virtual result<std::optional<source_row>> next() = 0;

    /// How many rows there are, where that is known without reading them. For progress only.
    [[nodiscard]] virtual std::optional<std::uint64_t> size_hint() const { return std::nullopt; }
};

/// How the lines of a file become rows. Lines end with LF or CRLF.
enum class corpus_format : std::uint8_t {
    automatic,  ///< By the name: .jsonl/.ndjson/.jl/.jsonlines, .csv, .tsv; else lines, if the content looks like it.
    lines,      ///< Each line is a text. Empty lines are rows too (and fail as such).
    jsonl,      ///< Each line is a JSON object with a text field and perhaps an id field. Blank lines are passed over.
    csv,        ///< RFC 4180 with a header line naming the text and id columns; quoted fields may hold line ends and
                ///< doubled quotes. Empty lines between records are passed over.
    tsv,        ///< A header line and fields separated by tabs; a quote is a character like any other.
};

class file_source_options {
public:
    corpus_format format = corpus_format::automatic;
    std::string text_field = "text";  ///< JSONL field (a string) or CSV column of the text.
    std::string id_field;             ///< JSONL field (a string, or a number taken as it is written) or CSV column of
                                      ///< the id; empty: rows have no id of their own.
    std::uint64_t max_record_bytes = 16 * 1024 * 1024;  ///< 1 to 1 GiB. A longer line or record is bad_input: it is
                                                        ///< not one of a corpus.
    /// Bytes read of the files as they are stored are added here, ahead of the rows by a block; null: not counted.
    std::shared_ptr<std::uint64_t> bytes_read;

    file_source_options() = default;
};

/// Rows of one or more files, read lazily in the order given, one 256 KiB block at a time. gzip and zstd (any number of
/// members or frames) are decompressed on the way; what a file holds is told by its first bytes, not by its name. A
/// UTF-8 byte order mark is dropped. `origin` is "file:line" with the line where the record begins, from 1.
///
/// Every file is opened and its first record read before this returns, so that a wrong name, field or format is known
/// before anything is sent:
///   invalid_argument  no files, options that do not fit, content that looks like another format, UTF-16, CR line ends
///   io                a file cannot be opened or read
///   bad_input         not a regular file; a first record that is not what the format says (the message lists the
///   fields
///                     or columns there are); UTF-16; a compression other than gzip and zstd
/// A later record that cannot be understood (not JSON, no text, another number of columns than the header) is a row
/// with a `defect`: the corpus goes on after it. next() fails with bad_input where it cannot be told how: damaged or
/// truncated compressed data, a record over max_record_bytes, a quoted field that never ends. After a failure every
/// next() fails the same way.
result<std::unique_ptr<row_source>> open_files(std::vector<std::string> paths, file_source_options options = {});

/// Identifies a corpus, for run_identity::corpus: SHA-256 in lower-case hex over the files' bytes, decompressed, and
/// the options and reading rules that decide what rows they give. The files' names do not count, nor does
/// max_record_bytes. Reads every file once (about 1 to 2 GB/s); fails as open_files does.
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
/// exception from it is callback_failed.
class generator_source : public row_source {
public:
    explicit generator_source(std::function<std::optional<std::string>()> next_text);
    result<std::optional<source_row>> next() override;

private:
    std::function<std::optional<std::string>()> next_text_;
    bool ended_ = false;
};

}  // namespace vembed
