#include "storage/replaced_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <filesystem>
#include <optional>

namespace vembed::storage {
namespace {

/// The final target of a name.
class output_target {
public:
    std::string path;
    std::optional<int> descriptor;  ///< An open descriptor of this process.
    bool stream = false;            ///< It exists and is no regular file.

    output_target() = default;
};

// The number of the open descriptor that the path names. Opening the path instead would start at byte 0 of a file that
// a shell appends to.
std::optional<int> descriptor_named(std::string_view path) {
    for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"}) {
        if (!path.starts_with(folder)) {
            continue;
        }
        const std::string_view digits = path.substr(folder.size());
        int number = -1;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error == std::errc() && end == digits.data() + digits.size() && number >= 0) {
            return number;
        }
    }
    return std::nullopt;
}

result<output_target> target_of(const std::string& path) {
    constexpr int links_max = 40;
    output_target found;
    found.path = path;
    for (int i = 0; i <= links_max; ++i) {
        found.descriptor = descriptor_named(found.path);
        found.stream = found.descriptor.has_value();
        struct ::stat about {};
        if (found.stream || ::lstat(found.path.c_str(), &about) != 0) {
            return found;  // Opening the file will report why its name cannot be examined.
        }
        if (!S_ISLNK(about.st_mode)) {
            found.stream = !S_ISREG(about.st_mode);
            return found;
        }
        std::array<char, PATH_MAX> link{};
        const ssize_t size = ::readlink(found.path.c_str(), link.data(), link.size());
        if (size <= 0) {
            return storage::io_failure("follow", found.path, errno);
        }
        const std::string next(link.data(), static_cast<std::size_t>(size));
        found.path = next.front() == '/' ? next : storage::folder_of(found.path) + "/" + next;
    }
    return storage::io_failure("open", path, ELOOP);
}

result<storage::unique_fd> open_stream(const output_target& target) {
    if (!target.descriptor) {
        return storage::open_file(storage::system_file_ops(), target.path, O_WRONLY);
    }
    storage::unique_fd fd(::fcntl(*target.descriptor, F_DUPFD_CLOEXEC, 3));
    return fd ? result<storage::unique_fd>(std::move(fd)) : storage::io_failure("open", target.path, errno);
}

result<void> write_all(int fd, const char* from, std::size_t size, const std::string& path) {
    while (size > 0) {
        const ssize_t written = ::write(fd, from, size);
        if (written < 0 && errno != EINTR) {
            return storage::io_failure("write", path, errno);
        }
        const auto passed = static_cast<std::size_t>(written < 0 ? 0 : written);
        from += passed;
        size -= passed;
    }
    return {};
}

}  // namespace

result<replaced_file> replaced_file::create(const std::string& path) {
    const auto target = target_of(path);
    if (!target) {
        return target.error();
    }
    replaced_file made(target->path);
    made.stream_ = target->stream;
    if (made.stream_) {
        auto stream = open_stream(*target);
        if (!stream) {
            return stream.error();
        }
        made.fd_ = std::move(*stream);
        return made;
    }
    auto fd = storage::open_file(storage::system_file_ops(), made.partial_, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) {
        return fd.error();
    }
    made.fd_ = std::move(*fd);
    return made;
}

replaced_file::~replaced_file() {
    if (fd_ && !stream_) {
        std::error_code ignored;
        std::filesystem::remove(partial_, ignored);
    }
}

result<void> replaced_file::write_at(std::uint64_t offset, const void* from, std::size_t size) {
    if (stream_) {
        return storage::io_failure("go back in", path_, ESPIPE);
    }
    return storage::write_at(storage::system_file_ops(), fd_.get(), from, size, offset, partial_);
}

result<void> replaced_file::append(const void* from, std::size_t size) {
    if (stream_) {
        return write_all(fd_.get(), static_cast<const char*>(from), size, path_);
    }
    auto written = write_at(end_, from, size);
    end_ += written ? size : 0;
    return written;
}

result<void> replaced_file::finish() {
    if (stream_) {
        fd_.reset();
        return {};
    }
    storage::file_ops& ops = storage::system_file_ops();
    if (auto synced = storage::sync_data(ops, fd_.get(), partial_); !synced) {
        return synced;
    }
    if (ops.rename(partial_.c_str(), path_.c_str()) != 0) {
        return storage::io_failure("rename", partial_, errno);
    }
    fd_.reset();
    return storage::sync_folder(ops, storage::folder_of(path_));
}

}  // namespace vembed::storage
