#include "storage/file_lock.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace vembed::storage {
namespace {

// Belongs to the open file, not to the process, and can be asked about without being taken, unlike flock.
struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

result<file_lock> file_lock::acquire(const std::string& path, const std::string& what) {
    auto fd = open_file(system_file_ops(), path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    struct flock lock = whole_file();
    while (::fcntl(fd->get(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            return failure(errc::folder_mismatch,
                           "another process is using " + what + "; wait for it to end, or choose another folder");
        }
        if (errno != EINTR) {
            return io_failure("lock", path, errno);
        }
    }
    return file_lock(std::move(*fd));
}

result<file_lock> file_lock::await(const std::string& path) {
    auto fd = open_file(system_file_ops(), path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    struct flock lock = whole_file();
    while (::fcntl(fd->get(), F_OFD_SETLKW, &lock) != 0) {
        if (errno != EINTR) {
            return io_failure("lock", path, errno);
        }
    }
    return file_lock(std::move(*fd));
}

bool file_lock::held(const std::string& path) noexcept {
    const unique_fd fd(system_file_ops().open(path.c_str(), O_RDONLY | O_CLOEXEC, 0));
    struct flock lock = whole_file();
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace vembed::storage
