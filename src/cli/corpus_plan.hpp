#pragma once
/// Reads a corpus and finds what buying its rows takes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vembed/bulk/journal.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>
#include <vembed/cyberian/types.hpp>

#include "bulk/output_space.hpp"
#include "bulk/reading_rules.hpp"
#include "cli/command_line.hpp"
#include "cli/corpus_input.hpp"
#include "cli/purchase_plan.hpp"
#include "cli/reading_progress.hpp"
#include "client/chunk_sizes.hpp"

namespace vembed::cli {

/// The corpus' files, standard input as a temporary one.
class plan_inputs {
public:
    std::vector<std::string> files;
    std::unique_ptr<temporary_spool> spool;
    std::uint32_t rules = bulk::latest_reading_rules;  ///< That the files are read by.

    plan_inputs() = default;
};

result<plan_inputs> resolve_inputs(const corpus_arguments& corpus);

/// Whether facts.rows_per_chunk is a chunk's size: some job had more than one chunk. Else all were perhaps smaller.
bool chunk_size_is_known(const prior_run& run) noexcept;

/// What a run that was begun in a folder tells.
class begun_run {
public:
    std::uint64_t rows_done = 0;
    std::uint64_t rows_per_chunk = 0;
    bool rows_per_chunk_known = false;  ///< Else a chunk has at least that many.
    std::uint64_t dimensions = 0;       ///< 0: no job has shown them.
    std::string note;                   ///< For the person who asks; empty where there is nothing to say.

    begun_run() = default;
};

/// Reads the journal of `folder`, where there is one; an empty folder is none. folder_mismatch where it belongs to a
/// run of another corpus (as `rules` read it); else as read_journal().
result<begun_run> read_begun(const std::string& folder, const std::vector<std::string>& files,
                             const file_source_options& format, std::uint32_t rules);

/// Who tells the size of a chunk that a plan is made for.
enum class chunk_size_origin : std::uint8_t {
    nobody,  ///< It is not known: the plan is made for the ends of a range.
    caller,
    run,     ///< Jobs of the run that was begun.
    memory,  ///< This machine, of other runs.
};

/// Where a plan takes the size of a chunk from. Pure.
class planned_chunk_size {
public:
    std::uint64_t rows = 1;  ///< Where nobody tells it, the least that it may be.
    chunk_size_origin origin = chunk_size_origin::nobody;

    planned_chunk_size() = default;
    planned_chunk_size(std::uint64_t rows_of_it, chunk_size_origin from) : rows(rows_of_it), origin(from) {}
};

/// The caller's word (0: none) before what the run's jobs showed before what this machine remembers.
planned_chunk_size chunk_size_for_plan(std::uint64_t said, const begun_run& begun, detail::chunk_size remembered);

/// Everything there is to say.
class corpus_plan {
public:
    corpus_survey seen;
    std::uint64_t duplicates = 0;
    std::uint64_t cached = 0;
    std::uint64_t bought = 0;
    detail::chunk_size remembered;  ///< What this machine remembers of the model's chunks.
    planned_chunk_size chunk_size;
    std::vector<purchase> purchases;
    std::optional<account_info> account;
    std::uint64_t chunks_today = 0;            ///< Used in the last 24 hours, as far as this machine has counted.
    std::uint64_t dimensions = 0;              ///< Of the model's rows; 0: not known.
    std::optional<bulk::output_space> output;  ///< Empty: dimensions are not known.
    wall_time now{};

    corpus_plan() = default;

    [[nodiscard]] bool chunk_size_known() const noexcept { return chunk_size.origin != chunk_size_origin::nobody; }
};

/// Reads the corpus and fills `into`, whose account, dimensions, remembered size and time are set. `service` is whose
/// rows of the cache count; empty: nobody's. Memory does not grow with the rows.
result<void> plan_corpus(const plan_arguments& arguments, const plan_inputs& inputs, const begun_run& begun,
                         const std::string& service, reading_progress& progress, corpus_plan& into);

}  // namespace vembed::cli
