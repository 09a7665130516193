#pragma once
/// Reads a corpus and finds what buying its rows takes.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/row_ranges.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/plan/plan_corpus.hpp>

#include "client/account/chunk_sizes.hpp"

namespace vembed::plan {

/// What a run that was begun in a folder tells.
class begun_run {
public:
    std::uint64_t rows_done = 0;
    row_ranges failed;  ///< Ascending. The run leaves them as they are.
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

/// Reads the corpus and fills `into`, whose account, dimensions and time are set already. `remembered` is what this
/// machine remembers of the model's chunks. Cached rows count only if they are of `service`; if it is empty, none
/// count.
result<void> count_corpus(const plan_corpus_options& options, std::uint32_t rules, const begun_run& begun,
                          const std::string& service, detail::chunk_size remembered, corpus_plan& into);

}  // namespace vembed::plan
