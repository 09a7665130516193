#pragma once
/// By which rules, and by which name, the run that was begun in a folder knows its corpus.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/corpus/source.hpp>

namespace vembed::folder {

/// The version of the rules for a run in `folder`: the older one if the folder's journal was begun by it for these
/// files, else the latest. Reads the files once if there is a journal. A journal that cannot be read leaves the latest:
/// what is wrong with it is said when it is opened.
std::uint32_t rules_for(const std::string& folder, const std::vector<std::string>& files,
                        const file_source_options& format);

/// By what the run in `folder` knows its corpus: as the folder's journal has it where that is of these rows, else by
/// their rows. Fails as fingerprint_files does.
result<std::string> fingerprint_for(const std::string& folder, std::uint32_t rules,
                                    const std::vector<std::string>& files, const file_source_options& format);

}  // namespace vembed::folder
