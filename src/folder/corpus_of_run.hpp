#pragma once
/// What the run of a folder knows: the reading rules and the fingerprint of its corpus, and the size of a chunk.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed::folder {

/// The version of the reading rules for a run in `folder`: the older one if the folder's journal was begun with it for
/// these files, else the latest. Reads the files once if there is a journal. If the journal cannot be read, the latest
/// version is returned; opening the journal then reports what is wrong with it.
std::uint32_t rules_for(const std::string& folder, const std::vector<std::string>& files,
                        const file_source_options& format);

/// The fingerprint by which the run in `folder` knows its corpus: the one in the folder's journal if it is one of this
/// corpus, else the one of the rows. The errors are those of fingerprint_files.
result<std::string> fingerprint_for(const std::string& folder, std::uint32_t rules,
                                    const std::vector<std::string>& files, const file_source_options& format);

/// Whether facts.rows_per_chunk is the size of a chunk, which it is if some job had more than one chunk. Otherwise all
/// jobs may have been smaller than a chunk.
bool chunk_size_is_known(const prior_run& run) noexcept;

}  // namespace vembed::folder
