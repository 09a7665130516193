#pragma once
/// By which version of the reading rules a corpus is read, and what that makes of each file.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/bulk/source.hpp>
#include <vembed/core/result.hpp>

#include "cli/console.hpp"

namespace vembed::cli {

/// The version of the rules for a run in `folder`: the older one if the folder's journal was begun by it for these
/// files, else the latest. Reads the files once if there is a journal. A journal that cannot be read leaves the latest:
/// what is wrong with it is said when it is opened.
std::uint32_t rules_for(const std::string& folder, const std::vector<std::string>& files,
                        const file_source_options& format);

/// By what the run in `folder` knows its corpus: as the folder's journal has it where that is of these rows, else by
/// their rows. Fails as fingerprint_files does.
result<std::string> fingerprint_for(const std::string& folder, std::uint32_t rules,
                                    const std::vector<std::string>& files, const file_source_options& format);

/// Says of each file its format, its fields and the first text that can be embedded: a line each, or objects of type
/// "input" with --json. `names` are the files as the user gave them, "-" for standard input. Fails as open_files does.
result<void> tell_inputs(console& out, const std::vector<std::string>& names, const std::vector<std::string>& files,
                         const file_source_options& format, std::uint32_t rules);

}  // namespace vembed::cli
