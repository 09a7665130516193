#pragma once
/// Reads a corpus and finds what buying its rows takes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/journal/journal.hpp>

#include "client/account/chunk_sizes.hpp"
#include "corpus/survey.hpp"
#include "folder/output_space.hpp"
#include "folder/spool.hpp"
#include "plan/purchase_plan.hpp"

namespace vembed::plan {

/// The input of a plan.
class plan_options {
public:
    file_source_options format;
    std::uint32_t rows_per_job = 1000;
    std::uint64_t rows_per_chunk = 0;  ///< 0: not told.
    std::string folder;                ///< The folder of a run that was begun; empty: none.
    std::string cache_folder;          ///< Empty: no cache.
    std::string model;                 ///< Exactly one of model and spec_file is set.
    std::string spec_file;

    plan_options() = default;
};

/// Whether facts.rows_per_chunk is the size of a chunk, which it is if some job had more than one chunk. Otherwise all
/// jobs may have been smaller than a chunk.
bool chunk_size_is_known(const prior_run& run) noexcept;

/// What a run that was begun in a folder tells.
class begun_run {
public:
    std::uint64_t rows_done = 0;
    std::uint64_t rows_per_chunk = 0;
    bool rows_per_chunk_known = false;  ///< If false, a chunk has at least that many.
    std::uint64_t dimensions = 0;       ///< 0: no job has shown them.
    std::string note;                   ///< A message for the user; empty if there is none.

    begun_run() = default;
};

/// Reads the journal of `folder`, if it has one; an empty `folder` has none. The error is folder_mismatch if the
/// journal belongs to a run of another corpus (as `rules` read it); other errors are those of read_journal().
result<begun_run> read_begun(const std::string& folder, const std::vector<std::string>& files,
                             const file_source_options& format, std::uint32_t rules);

/// Who states the chunk size that a plan is made for.
enum class chunk_size_origin : std::uint8_t {
    nobody,  ///< The size is not known: the plan is made for both ends of a range.
    caller,
    run,     ///< Jobs of the run that was begun.
    memory,  ///< This machine, which remembers it from other runs.
};

/// The chunk size of a plan, and who stated it. Pure.
class planned_chunk_size {
public:
    std::uint64_t rows = 1;  ///< The least possible size if nobody states it.
    chunk_size_origin origin = chunk_size_origin::nobody;

    planned_chunk_size() = default;
    planned_chunk_size(std::uint64_t rows_of_it, chunk_size_origin from) : rows(rows_of_it), origin(from) {}
};

/// Prefers the caller's figure (0: none), then what the run's jobs showed, then what this machine remembers.
planned_chunk_size chunk_size_for_plan(std::uint64_t said, const begun_run& begun, detail::chunk_size remembered);

/// The complete plan of a corpus.
class corpus_plan {
public:
    corpus::corpus_survey seen;
    std::uint64_t duplicates = 0;
    std::uint64_t cached = 0;
    std::uint64_t bought = 0;
    detail::chunk_size remembered;  ///< What this machine remembers of the model's chunks.
    planned_chunk_size chunk_size;
    std::vector<purchase> purchases;
    std::optional<account_info> account;
    std::uint64_t chunks_today = 0;              ///< Used in the last 24 hours, as far as this machine has counted.
    std::uint64_t dimensions = 0;                ///< The dimensions of the model's rows; 0 if not known.
    std::optional<folder::output_space> output;  ///< Empty: dimensions are not known.
    wall_time now{};

    corpus_plan() = default;

    [[nodiscard]] bool chunk_size_known() const noexcept { return chunk_size.origin != chunk_size_origin::nobody; }
};

/// Reads the corpus and fills `into`, whose account, dimensions, remembered size and time are set already. Cached rows
/// count only if they are of `service`; if it is empty, none count. Only on_progress and stop of `looks` are used.
/// Memory does not grow with the number of rows.
result<void> plan_corpus(const plan_options& options, const folder::input_files& inputs, const begun_run& begun,
                         const std::string& service, corpus::survey_options looks, corpus_plan& into);

}  // namespace vembed::plan
