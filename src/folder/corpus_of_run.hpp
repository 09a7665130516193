#pragma once
/// Finds the reading rules and the fingerprint under which the run of a folder knows its corpus.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

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

}  // namespace vembed::folder
