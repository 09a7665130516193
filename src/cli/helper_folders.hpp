#pragma once
/// Folders beside the output folder: the cache that --cache names, and where temporary files go.

#include <string>

#include <vembed/core/result.hpp>

namespace vembed::cli {

/// invalid_argument where `cache` is an output folder, finished or not, or is to become one, whatever else is in it.
/// Either may be empty: not given.
result<void> check_cache_folder(const std::string& cache, const std::string& output);

/// Where temporary files cannot be made in $TMPDIR (else /var/tmp), they go to `output` from now on, which is made if
/// need be. Before there are threads. Whatever is in the way is said where a file is to be made.
void choose_temporary_folder(const std::string& output);

}  // namespace vembed::cli
