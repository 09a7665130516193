#pragma once
/// Folders beside the output folder: the cache that --cache names, and where temporary files go. And files that must
/// not be written over.

#include <string>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// invalid_argument where `cache` is an output folder, finished or not, or lies in one, or is to, or is no folder; or
/// where `output` is a cache. Either may be empty: not given.
result<void> check_folders(const std::string& cache, const std::string& output);

/// invalid_argument where `file`, which a command is to write and the user named, is a file of an output folder or of
/// a cache, or would become one, whatever way its name is written: what was paid for would be lost. So too where it is
/// one of `inputs`. Empty ones are not given.
result<void> check_output_file(const std::string& file, const std::vector<std::string>& inputs);

/// Where temporary files cannot be made in $TMPDIR (else /var/tmp), they go to `output` from now on, which is made if
/// need be. Before there are threads. Whatever is in the way is said where a file is to be made.
void choose_temporary_folder(const std::string& output);

}  // namespace vembed::cli
