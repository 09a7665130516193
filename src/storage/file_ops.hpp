#pragma once
/// The system calls that sinks make, as an interface, so that tests can make them fail. It also has the loops around
/// them that every caller needs.

#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vembed/core/result.hpp>

namespace vembed::storage {

/// Each call behaves as in POSIX: it returns -1 and sets errno if it fails.
class file_ops {
public:
    file_ops() = default;
    file_ops(const file_ops&) = delete;
    file_ops& operator=(const file_ops&) = delete;
    virtual ~file_ops() = default;

    virtual int open(const char* path, int flags, mode_t mode) noexcept;
    virtual ssize_t pread(int fd, void* into, std::size_t size, off_t offset) noexcept;
    virtual ssize_t pwrite(int fd, const void* from, std::size_t size, off_t offset) noexcept;
    virtual int fdatasync(int fd) noexcept;
    virtual int fsync(int fd) noexcept;
    virtual int ftruncate(int fd, off_t size) noexcept;
    virtual int rename(const char* from, const char* to) noexcept;
    virtual int unlink(const char* path) noexcept;
    virtual off_t lseek(int fd, off_t offset, int whence) noexcept;
    virtual int statvfs(const char* path, struct ::statvfs* into) noexcept;
};

/// The operating system's calls. The object lives as long as the program.
file_ops& system_file_ops() noexcept;

/// Owns a file descriptor.
class unique_fd {
public:
    unique_fd() = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        other.reset();
        return *this;
    }
    ~unique_fd() { reset(); }
    void reset() noexcept;
    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// An io error: what could not be done to which file, why, and what to do if that is known.
error io_failure(std::string_view doing, const std::string& path, int error);

/// Opens with O_CLOEXEC; new files get mode 0666 less the umask.
result<unique_fd> open_file(file_ops& ops, const std::string& path, int flags);

/// Opens a file with O_CLOEXEC; nothing if there is none.
result<std::optional<unique_fd>> open_existing(file_ops& ops, const std::string& path, int flags);

/// The size of an open file in bytes.
result<std::uint64_t> size_of(int fd, const std::string& path);

/// Bytes of a file that are on disk: its holes are not, and a missing file has none. If the file system does not report
/// holes, they count as being on disk.
result<std::uint64_t> bytes_on_disk(file_ops& ops, const std::string& path);

/// Bytes that this process can still write at the place of `path`, which need not exist. Nothing if the file system
/// does not tell: special ones report that they have no size at all.
std::optional<std::uint64_t> free_bytes(file_ops& ops, const std::string& path);

/// Opens a file for reading if it is a regular one. Other kinds are refused (bad_input), because they cannot be read
/// twice.
result<unique_fd> open_regular_file(const std::string& path);

/// Writes all bytes, in as many calls as that takes.
result<void> write_at(file_ops& ops, int fd, const void* from, std::size_t size, std::uint64_t offset,
                      const std::string& path);

/// Reads up to `size` bytes; fewer only at the end of the file.
result<std::size_t> read_at(file_ops& ops, int fd, void* into, std::size_t size, std::uint64_t offset,
                            const std::string& path);

result<void> sync_data(file_ops& ops, int fd, const std::string& path);
result<void> truncate_file(file_ops& ops, int fd, std::uint64_t size, const std::string& path);

/// The first `bytes_max` bytes of a regular file, or all of them if there are fewer. io if it cannot be read.
result<std::string> read_beginning(const std::string& path, std::size_t bytes_max);

/// A small file's content; nothing if there is no such file. io if it has more than `bytes_max` bytes or cannot be
/// read.
result<std::optional<std::string>> read_small_file(const std::string& path, std::size_t bytes_max);

/// The target of a name after all symbolic links, whether it exists or not. io if the links lead in a circle.
result<std::string> behind_links(const std::string& path);

/// Gives the file this content, durably: a reader finds the old one or the new one. A symbolic link stays, and its
/// target is replaced or created. An existing target that is not a regular file is left as it is (io). The new content
/// is written to `path`.new, with links followed.
result<void> replace_small_file(const std::string& path, std::string_view content);

/// Makes the names in a folder durable.
result<void> sync_folder(file_ops& ops, const std::string& folder);

/// Creates a folder and its parents if they do not exist.
result<void> make_folder(file_ops& ops, const std::string& folder);

/// The folder of a path: "." if the path has none.
std::string folder_of(const std::string& path);

}  // namespace vembed::storage
