#pragma once
/// The folder for temporary files.

#include <string>

namespace vembed::cli {

/// If temporary files cannot be made in $TMPDIR (else /var/tmp), they go to `output` from now on; the folder is made if
/// it does not exist. Call this before there are threads. If this does not work, making a file later reports why.
void choose_temporary_folder(const std::string& output);

}  // namespace vembed::cli
