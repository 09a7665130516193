#pragma once
/// The corpus of a run before it is sent anywhere: standard input made a file, and every row looked at once.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/bulk/source.hpp>
#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::cli {

/// Why a row cannot be embedded; empty where it can.
std::string defect_of(const source_row& row);

/// Copies standard input to `folder`/stdin.spool and returns that path. Where there is such a file already, it must
/// give the same rows, and it stays; unless nothing depends on it, since no run was begun in the folder or it takes any
/// corpus (bulk::takes_any_corpus), in which case it is replaced. folder_mismatch where it is another text; cancelled
/// where a signal came meanwhile; io.
result<std::string> spool_standard_input(const std::string& folder);

/// A file of standard input's bytes that goes away with this object. It is made in $TMPDIR, else in /var/tmp, else in
/// memory, where it takes 1 GiB at most.
class temporary_spool {
public:
    static result<std::unique_ptr<temporary_spool>> make();
    temporary_spool(const temporary_spool&) = delete;
    temporary_spool& operator=(const temporary_spool&) = delete;
    ~temporary_spool();
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    temporary_spool(std::string path, storage::unique_fd in_memory)
        : path_(std::move(path)), in_memory_(std::move(in_memory)) {}
    std::string path_;
    storage::unique_fd in_memory_;  ///< Empty: the file has a name.
};

/// A row that cannot be embedded.
class defective_row {
public:
    std::uint64_t row = 0;
    std::string origin;  ///< "corpus.jsonl:17".
    std::string id;      ///< Empty where it is not known.
    std::string defect;

    defective_row() = default;
};

/// File, line and id of such a row, for messages.
std::string place_of(const defective_row& row);

class survey_options {
public:
    std::size_t shown_max = 20;  ///< Defective rows to keep.
    /// Called with each row that can be embedded. A failure ends the survey.
    std::function<result<void>(std::uint64_t row, const source_row& found)> see;
    std::function<void(std::uint64_t rows)> on_progress;  ///< Called now and then with the rows read so far.

    survey_options() = default;
};

/// What one reading of a corpus tells.
class corpus_survey {
public:
    std::uint64_t rows = 0;
    std::uint64_t text_bytes = 0;  ///< Of rows that can be embedded.
    std::uint64_t longest_text = 0;
    std::uint64_t blank = 0;  ///< Blank lines that keep their place.
    std::uint64_t defective = 0;
    std::vector<defective_row> defects;  ///< The first of them.

    corpus_survey() = default;
};

/// Reads the whole source. Fails as next() does; cancelled where a signal came meanwhile.
result<corpus_survey> survey(row_source& source, const survey_options& options);

/// A source whose number of rows is known.
class counted_source : public row_source {
public:
    counted_source(std::unique_ptr<row_source> source, std::uint64_t rows) : source_(std::move(source)), rows_(rows) {}
    result<std::optional<source_row>> next() override { return source_->next(); }
    [[nodiscard]] std::optional<std::uint64_t> size_hint() const override { return rows_; }

private:
    std::unique_ptr<row_source> source_;
    std::uint64_t rows_;
};

}  // namespace vembed::cli
