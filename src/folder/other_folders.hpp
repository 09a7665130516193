#pragma once
/// Keeps output folders, caches and the files of other programs apart: what was paid for must not be overwritten.

#include <string>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed::folder {

/// The error is invalid_argument if `cache` is an output folder (finished or not), lies in one or is to lie in one, or
/// is no folder; or if `output` is a cache. Either is empty if it is not given.
result<void> check_folders(const std::string& cache, const std::string& output);

/// Whether a run may use these folders: check_folders(), and folder_mismatch if `output` has files of a result without
/// the journal that could continue them: they belong to somebody else or are a finished result.
result<void> check_run_folders(const std::string& cache, const std::string& output);

/// The error is invalid_argument if `file`, which a command is to write and the user named, is or would become a file
/// of an output folder or of a cache, however its name is written: what was paid for would be lost. The error is the
/// same if it is one of `inputs`. Names are empty if they are not given.
result<void> check_output_file(const std::string& file, const std::vector<std::string>& inputs);

}  // namespace vembed::folder
