#include "storage/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

namespace vembed::storage {

result<file_lock> file_lock::acquire(const std::string& path, const std::string& what) {
    auto fd = open_file(system_file_ops(), path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    while (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return failure(errc::folder_mismatch,
                           "another process is using " + what + "; wait for it to end, or choose another folder");
        }
        if (errno != EINTR) {
            return io_failure("lock", path, errno);
        }
    }
    return file_lock(std::move(*fd));
}

}  // namespace vembed::storage
