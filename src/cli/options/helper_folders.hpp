#pragma once
/// Checks the folders besides the output folder (the cache that --cache names, and the one for temporary files), and
/// files that must not be overwritten.

#include <string>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// The error is invalid_argument if `cache` is an output folder (finished or not), lies in one or is to lie in one, or
/// is no folder; or if `output` is a cache. Either is empty if it is not given.
result<void> check_folders(const std::string& cache, const std::string& output);

/// The error is invalid_argument if `file`, which a command is to write and the user named, is or would become a file
/// of an output folder or of a cache, however its name is written: what was paid for would be lost. The error is the
/// same if it is one of `inputs`. Names are empty if they are not given.
result<void> check_output_file(const std::string& file, const std::vector<std::string>& inputs);

/// If temporary files cannot be made in $TMPDIR (else /var/tmp), they go to `output` from now on; the folder is made if
/// it does not exist. Call this before there are threads. If this does not work, making a file later reports why.
void choose_temporary_folder(const std::string& output);

}  // namespace vembed::cli
