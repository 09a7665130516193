#include "storage/local_folder.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "storage/file_ops.hpp"

namespace vembed::storage {
namespace {

// The values of the kernel's magic.h and of the file systems' own headers.
constexpr std::array<std::uint32_t, 7> network_file_systems{
    0x6969,      // NFS
    0x517b,      // SMB
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB 2
    0x5346414f,  // AFS
    0x6b414653,  // kAFS
    0x00c36400,  // Ceph
};

}  // namespace

result<void> check_local_folder(const std::string& folder) {
    struct statfs about {};
    while (::statfs(folder.c_str(), &about) != 0) {
        if (errno != EINTR) {
            return io_failure("look at", folder, errno);
        }
    }
    const auto kind = static_cast<std::uint32_t>(about.f_type);
    if (std::find(network_file_systems.begin(), network_file_systems.end(), kind) != network_file_systems.end()) {
        return error(errc::io, folder +
                                   " is on a network file system, which processes of several machines could "
                                   "damage; choose a folder on this machine");
    }
    return {};
}

}  // namespace vembed::storage
