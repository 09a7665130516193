#pragma once
/// Refuses folders that other machines may use at the same time, for files that processes share through memory.

#include <string>

#include <vembed/core/result.hpp>

namespace vembed::storage {

/// io if the folder is on a network file system (NFS, SMB, AFS, Ceph), or cannot be examined. File systems in user
/// space count as local, because their storage cannot be told.
result<void> check_local_folder(const std::string& folder);

}  // namespace vembed::storage
