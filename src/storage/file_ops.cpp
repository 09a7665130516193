#include "storage/file_ops.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <system_error>

namespace vembed::storage {
namespace {

// Linux moves at most 2 GiB minus one page in one call.
constexpr std::size_t max_transfer = std::size_t{1} << 30;

std::string_view advice_for(int error) {
    switch (error) {
        case ENOSPC:
        case EDQUOT: return "; free some space and run the same command again, it goes on where it stopped";
        case EROFS:
        case EACCES:
        case EPERM: return "; check the permissions of the file and its folder, or choose another place";
        case EIO: return "; the device reports an error, check the disk before running the same command again";
        case EFBIG: return "; the file system or a limit (ulimit -f) does not allow a file of this size";
        case EMFILE:
        case ENFILE: return "; raise the limit of open files (ulimit -n)";
        default: return "";
    }
}

bool fits_offset(std::uint64_t offset, std::size_t size) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    return offset <= most && size <= most - offset;
}

}  // namespace

int file_ops::open(const char* path, int flags, mode_t mode) noexcept {
    return ::open(path, flags, mode);
}
ssize_t file_ops::pread(int fd, void* into, std::size_t size, off_t offset) noexcept {
    return ::pread(fd, into, size, offset);
}
ssize_t file_ops::pwrite(int fd, const void* from, std::size_t size, off_t offset) noexcept {
    return ::pwrite(fd, from, size, offset);
}
int file_ops::fdatasync(int fd) noexcept {
    return ::fdatasync(fd);
}
int file_ops::fsync(int fd) noexcept {
    return ::fsync(fd);
}
int file_ops::ftruncate(int fd, off_t size) noexcept {
    return ::ftruncate(fd, size);
}
int file_ops::rename(const char* from, const char* to) noexcept {
    return std::rename(from, to);
}

int file_ops::unlink(const char* path) noexcept {
    return ::unlink(path);
}

off_t file_ops::lseek(int fd, off_t offset, int whence) noexcept {
    return ::lseek(fd, offset, whence);
}

int file_ops::statvfs(const char* path, struct ::statvfs* into) noexcept {
    return ::statvfs(path, into);
}

file_ops& system_file_ops() noexcept {
    static file_ops ops;
    return ops;
}

void unique_fd::reset() noexcept {
    if (fd_ >= 0) {
        (void)::close(std::exchange(fd_, -1));
    }
}

error io_failure(std::string_view doing, const std::string& path, int error) {
    std::string message = "cannot ";
    message.append(doing).append(" ").append(path).append(": ");
    message.append(std::generic_category().message(error)).append(advice_for(error));
    return {errc::io, std::move(message)};
}

result<unique_fd> open_file(file_ops& ops, const std::string& path, int flags) {
    for (;;) {
        const int fd = ops.open(path.c_str(), flags | O_CLOEXEC, 0666);
        if (fd >= 0) {
            return unique_fd(fd);
        }
        if (errno != EINTR) {
            return io_failure("open", path, errno);
        }
    }
}

result<std::optional<unique_fd>> open_existing(file_ops& ops, const std::string& path, int flags) {
    for (;;) {
        const int fd = ops.open(path.c_str(), flags | O_CLOEXEC, 0);
        if (fd >= 0) {
            return std::optional<unique_fd>(unique_fd(fd));
        }
        if (errno == ENOENT) {
            return std::optional<unique_fd>();
        }
        if (errno != EINTR) {
            return io_failure("open", path, errno);
        }
    }
}

result<std::uint64_t> size_of(int fd, const std::string& path) {
    struct stat about {};
    if (::fstat(fd, &about) != 0) {
        return io_failure("look at", path, errno);
    }
    return static_cast<std::uint64_t>(about.st_size);
}

result<std::uint64_t> bytes_on_disk(file_ops& ops, const std::string& path) {
    auto fd = open_existing(ops, path, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    if (!fd->has_value()) {
        return 0;
    }
    std::uint64_t held = 0;
    for (off_t at = 0;;) {
        const off_t data = ops.lseek((*fd)->get(), at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) {
            return held;  // The file has no data from here on.
        }
        const off_t hole = data < 0 ? data : ops.lseek((*fd)->get(), data, SEEK_HOLE);
        if (hole < 0) {
            return size_of((*fd)->get(), path);
        }
        held += static_cast<std::uint64_t>(hole - data);
        at = hole;
    }
}

std::optional<std::uint64_t> free_bytes(file_ops& ops, const std::string& path) {
    struct ::statvfs about {};
    std::string place = path;
    while (ops.statvfs(place.c_str(), &about) != 0) {
        const std::string parent = folder_of(place);
        if (errno != ENOENT || parent == place) {
            return std::nullopt;
        }
        place = parent;
    }
    if (about.f_blocks == 0 || about.f_frsize == 0) {
        return std::nullopt;
    }
    // Blocks kept for the superuser are not available to others.
    const std::uint64_t blocks = ::geteuid() == 0 ? about.f_bfree : about.f_bavail;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return blocks > most / about.f_frsize ? most : blocks * about.f_frsize;
}

result<unique_fd> open_regular_file(const std::string& path) {
    struct stat about {};
    // The kind is checked before opening, because opening a pipe would wait for its writer.
    if (::stat(path.c_str(), &about) != 0) {
        return io_failure("open", path, errno);
    }
    if (S_ISDIR(about.st_mode)) {
        return error(errc::bad_input, path + " is a folder; name the files in it");
    }
    if (!S_ISREG(about.st_mode)) {
        return error(errc::bad_input,
                     path +
                         " is not a regular file, so it cannot be read again when a run is continued; save what "
                         "it gives into a file first");
    }
    return open_file(system_file_ops(), path, O_RDONLY);
}

result<void> write_at(file_ops& ops, int fd, const void* from, std::size_t size, std::uint64_t offset,
                      const std::string& path) {
    if (!fits_offset(offset, size)) {
        return io_failure("write", path, EFBIG);
    }
    const char* next = static_cast<const char*>(from);
    while (size > 0) {
        const ssize_t written = ops.pwrite(fd, next, std::min(size, max_transfer), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return io_failure("write", path, written < 0 ? errno : EIO);
        }
        next += written;
        size -= static_cast<std::size_t>(written);
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

result<std::size_t> read_at(file_ops& ops, int fd, void* into, std::size_t size, std::uint64_t offset,
                            const std::string& path) {
    if (!fits_offset(offset, size)) {
        return io_failure("read", path, EFBIG);
    }
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ops.pread(fd, static_cast<char*>(into) + have, std::min(size - have, max_transfer),
                                      static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return io_failure("read", path, errno);
        }
        if (got == 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    return have;
}

result<void> sync_data(file_ops& ops, int fd, const std::string& path) {
    if (ops.fdatasync(fd) != 0) {
        return io_failure("make durable", path, errno);
    }
    return {};
}

result<void> truncate_file(file_ops& ops, int fd, std::uint64_t size, const std::string& path) {
    if (!fits_offset(size, 0)) {
        return io_failure("resize", path, EFBIG);
    }
    while (ops.ftruncate(fd, static_cast<off_t>(size)) != 0) {
        if (errno != EINTR) {
            return io_failure("resize", path, errno);
        }
    }
    return {};
}

result<std::string> read_beginning(const std::string& path, std::size_t bytes_max) {
    auto fd = open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    const auto size = size_of(fd->get(), path);
    if (!size) {
        return size.error();
    }
    std::string text(std::min<std::uint64_t>(*size, bytes_max), '\0');
    const auto got = read_at(system_file_ops(), fd->get(), text.data(), text.size(), 0, path);
    if (!got) {
        return got.error();
    }
    text.resize(*got);
    return text;
}

result<std::optional<std::string>> read_small_file(const std::string& path, std::size_t bytes_max) {
    const unique_fd fd(system_file_ops().open(path.c_str(), O_RDONLY | O_CLOEXEC, 0));
    if (!fd) {
        return errno == ENOENT ? result<std::optional<std::string>>(std::nullopt) : io_failure("open", path, errno);
    }
    std::string content(bytes_max + 1, '\0');
    const auto size = read_at(system_file_ops(), fd.get(), content.data(), content.size(), 0, path);
    if (!size) {
        return size.error();
    }
    if (*size > bytes_max) {
        return io_failure("read", path, EFBIG);
    }
    content.resize(*size);
    return std::optional(std::move(content));
}

result<std::string> behind_links(const std::string& path) {
    constexpr int links_max = 40;
    std::string place = path;
    for (int i = 0; i <= links_max; ++i) {
        std::error_code is_no_link;
        const std::filesystem::path next = std::filesystem::read_symlink(place, is_no_link);
        if (is_no_link) {
            return place;
        }
        place = next.is_absolute() ? next.string() : folder_of(place) + "/" + next.string();
    }
    return io_failure("open", path, ELOOP);
}

result<void> replace_small_file(const std::string& path, std::string_view content) {
    file_ops& ops = system_file_ops();
    const auto place = behind_links(path);
    if (!place) {
        return place.error();
    }
    struct stat about {};
    if (::lstat(place->c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
        return error(errc::io, "cannot replace " + path + ": it is not a regular file");
    }
    const std::string next = *place + ".new";
    {
        const auto fd = open_file(ops, next, O_WRONLY | O_CREAT | O_TRUNC);
        if (!fd) {
            return fd.error();
        }
        if (auto written = write_at(ops, fd->get(), content.data(), content.size(), 0, next); !written) {
            return written;
        }
        if (auto synced = sync_data(ops, fd->get(), next); !synced) {
            return synced;
        }
    }
    if (ops.rename(next.c_str(), place->c_str()) != 0) {
        return io_failure("rename", next, errno);
    }
    return sync_folder(ops, folder_of(*place));
}

result<void> sync_folder(file_ops& ops, const std::string& folder) {
    auto fd = open_file(ops, folder, O_RDONLY | O_DIRECTORY);
    if (!fd) {
        return fd.error();
    }
    // Some file systems cannot sync a folder and return EINVAL: their names are as durable as they get.
    if (ops.fsync(fd->get()) != 0 && errno != EINVAL) {
        return io_failure("make durable", folder, errno);
    }
    return {};
}

result<void> make_folder(file_ops& ops, const std::string& folder) {
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) {
        return {};
    }
    if (auto parent = make_folder(ops, folder_of(folder)); !parent) {
        return parent;
    }
    std::filesystem::create_directory(folder, error);
    if (error) {
        return io_failure("create the folder", folder, error.value());
    }
    return sync_folder(ops, folder_of(folder));
}

std::string folder_of(const std::string& path) {
    std::filesystem::path whole(path);
    if (!whole.has_filename()) {
        whole = whole.parent_path();  // "out/" is the folder "out"
    }
    const std::string parent = whole.parent_path().string();
    return parent.empty() ? "." : parent;
}

}  // namespace vembed::storage
