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

/// Everything there is to say.
class corpus_plan {
public:
    corpus_survey seen;
    std::uint64_t duplicates = 0;
    std::uint64_t cached = 0;
    std::uint64_t bought = 0;
    bool rows_per_chunk_known = false;
    std::vector<purchase> purchases;
    std::optional<account_info> account;
    std::uint64_t chunks_today = 0;            ///< Used in the last 24 hours, as far as this machine has counted.
    std::uint64_t dimensions = 0;              ///< Of the model's rows; 0: not known.
    std::optional<bulk::output_space> output;  ///< Empty: dimensions are not known.
    wall_time now{};

    corpus_plan() = default;
};

/// Reads the corpus and fills `into`, whose account, dimensions and time are set. `service` is whose rows of the cache
/// count; empty: nobody's. Memory does not grow with the rows.
result<void> plan_corpus(const plan_arguments& arguments, const plan_inputs& inputs, const begun_run& begun,
                         const std::string& service, reading_progress& progress, corpus_plan& into);

}  // namespace vembed::cli
