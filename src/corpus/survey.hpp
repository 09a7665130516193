#pragma once
/// Reads a whole corpus once before anything is sent.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/reading.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed::corpus {

/// Why a row cannot be embedded; empty if it can.
std::string defect_of(const source_row& row);

/// File, line and id of a defective row, for messages.
std::string place_of(const defective_row& row);

class survey_options {
public:
    std::size_t shown_max = 20;  ///< The most defective rows that are kept.
    /// Called with each row that can be embedded. An error ends the survey.
    std::function<result<void>(std::uint64_t row, const source_row& found)> see;
    std::function<void(std::uint64_t rows)> on_progress;  ///< Called now and then with the rows read so far.
    std::stop_token stop;                                 ///< If it is requested, the survey ends before the next row.

    survey_options() = default;
};

/// How `file` is read by the given rules, and what it begins with. The errors are those of open_files().
result<corpus_input> look_at_input(const std::string& file, const file_source_options& format, std::uint32_t rules);

/// Looks at each of `files` and tells `on.on_input` of it.
result<void> look_at_inputs(const std::vector<std::string>& files, const file_source_options& format,
                            std::uint32_t rules, const reading_callbacks& on);

/// A survey whose options tell `on` of its progress. `format` is of the source of `files` that is surveyed: its bytes
/// are counted.
survey_options watched_survey(const std::vector<std::string>& files, file_source_options& format,
                              const reading_callbacks& on);

/// The error of reading a corpus that was asked to end before anything was sent.
error reading_cancelled();

/// Reads the whole source. Fails as next() does; cancelled if a stop was requested through `options.stop`.
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

}  // namespace vembed::corpus
