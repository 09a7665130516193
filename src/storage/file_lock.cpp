#include "storage/file_lock.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace vembed::storage {
namespace {

// Unlike flock, it belongs to the open file and not to the process, and it can be queried without being taken.
struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

constexpr std::chrono::milliseconds between_tries(10);

std::string in_seconds(std::chrono::milliseconds time) {
    return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
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
            return error(errc::folder_mismatch,
                         "another process is using " + what + "; wait for it to end, or choose another folder");
        }
        if (errno != EINTR) {
            return io_failure("lock", path, errno);
        }
    }
    return file_lock(std::move(*fd));
}

result<file_lock> file_lock::await(const std::string& path, std::chrono::milliseconds at_most,
                                   const std::stop_token& stop) {
    auto fd = open_file(system_file_ops(), path, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    struct flock lock = whole_file();
    // The kernel has no form of F_OFD_SETLKW with a time limit, so that this polls.
    for (std::chrono::milliseconds waited(0); ::fcntl(fd->get(), F_OFD_SETLK, &lock) != 0;) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN && errno != EACCES) {
            return io_failure("lock", path, errno);
        }
        if (stop.stop_requested()) {
            return error(errc::cancelled, "cancelled while another process held " + path);
        }
        if (waited >= at_most) {
            return error(errc::io, "another process has held " + path + " for " + in_seconds(at_most));
        }
        (void)::poll(nullptr, 0, static_cast<int>(between_tries.count()));
        waited += between_tries;
    }
    return file_lock(std::move(*fd));
}

bool file_lock::held(const std::string& path) noexcept {
    const unique_fd fd(system_file_ops().open(path.c_str(), O_RDONLY | O_CLOEXEC, 0));
    struct flock lock = whole_file();
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace vembed::storage
