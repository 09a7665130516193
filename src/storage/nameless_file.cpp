#include "storage/nameless_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

namespace vembed::storage {
namespace {

// This is enough for the table of some 20 million texts.
constexpr std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;
constexpr std::uint64_t memory_bytes_min = 64 * 1024;

// The limit is read each time, because it may be lowered for a running process.
std::uint64_t file_bytes_max() {
    struct ::rlimit limit {};
    const bool limited = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return limited ? limit.rlim_cur : std::numeric_limits<std::uint64_t>::max();
}

result<storage::unique_fd> open_unnamed(storage::file_ops& ops, const std::string& folder) {
    for (;;) {
        const int fd = ops.open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0) {
            return storage::unique_fd(fd);
        }
        if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
            break;  // The file system has no such files.
        }
        if (errno != EINTR) {
            return storage::io_failure("make a temporary file in", folder, errno);
        }
    }
    std::string pattern = folder + "/vembed-dedup-XXXXXX";
    const int fd = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (fd < 0) {
        return storage::io_failure("make a temporary file in", folder, errno);
    }
    storage::unique_fd made(fd);
    if (::unlink(pattern.c_str()) != 0) {
        return storage::io_failure("remove the name of the temporary file", pattern, errno);
    }
    return made;
}

}  // namespace

anonymous_memory::anonymous_memory(anonymous_memory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)) {}

anonymous_memory& anonymous_memory::operator=(anonymous_memory&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    return *this;
}

anonymous_memory::~anonymous_memory() {
    if (begin_ != nullptr) {
        (void)::munmap(begin_, size_);
    }
}

// A file in memory (memfd) is not used, because the limit on file sizes holds for it too.
bool anonymous_memory::resize(std::size_t size) noexcept {
    void* const now = begin_ == nullptr ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                        : ::mremap(begin_, size_, size, MREMAP_MAYMOVE);
    if (now == MAP_FAILED) {
        return false;
    }
    begin_ = static_cast<std::byte*>(now);
    size_ = size;
    return true;
}

result<nameless_file> nameless_file::create(storage::file_ops& ops, const std::string& folder,
                                            const std::string& called) {
    nameless_file made;
    made.ops_ = &ops;
    made.place_ = folder.empty() ? called : folder;
    if (folder.empty()) {
        return made;
    }
    auto fd = open_unnamed(ops, folder);
    if (!fd) {
        return fd.error();
    }
    made.fd_ = std::move(*fd);
    return made;
}

result<void> nameless_file::extend(std::uint64_t size) {
    if (auto room = make_room(size); !room) {
        return room;
    }
    if (!in_memory()) {
        if (auto sized = storage::truncate_file(*ops_, fd_.get(), size, place_); !sized) {
            return sized;
        }
    }
    size_ = std::max(size_, size);
    return {};
}

result<void> nameless_file::write(const void* from, std::size_t size, std::uint64_t offset) {
    const std::uint64_t end = offset + size;
    if (end > size_) {
        if (auto room = make_room(end); !room) {
            return room;
        }
    }
    if (in_memory()) {
        if (size > 0) {
            std::memcpy(memory_.data() + offset, from, size);
        }
    } else if (auto written = storage::write_at(*ops_, fd_.get(), from, size, offset, place_); !written) {
        return written;
    }
    size_ = std::max(size_, end);
    return {};
}

result<std::size_t> nameless_file::read(void* into, std::size_t size, std::uint64_t offset) const {
    if (!in_memory()) {
        return storage::read_at(*ops_, fd_.get(), into, size, offset, place_);
    }
    const std::size_t there = offset < size_ ? std::min<std::uint64_t>(size, size_ - offset) : 0;
    if (there > 0) {
        std::memcpy(into, memory_.data() + offset, there);
    }
    return there;
}

result<void> nameless_file::make_room(std::uint64_t end) {
    if (in_memory()) {
        return take_memory(end);
    }
    return end > file_bytes_max() ? move_to_memory(end) : result<void>();
}

result<void> nameless_file::move_to_memory(std::uint64_t end) {
    nameless_file moved;
    moved.place_ = "memory (the limit on file sizes, ulimit -f, does not allow the temporary file in " + place_ +
                   "; at most 1 GiB goes here)";
    if (auto room = moved.take_memory(end); !room) {
        return room;
    }
    const auto got = storage::read_at(*ops_, fd_.get(), moved.memory_.data(), size_, 0, place_);
    if (!got) {
        return got.error();
    }
    moved.ops_ = ops_;
    moved.size_ = size_;
    *this = std::move(moved);
    return {};
}

result<void> nameless_file::take_memory(std::uint64_t end) {
    if (end <= memory_.size()) {
        return {};
    }
    if (end > memory_bytes_max) {
        return error(errc::io, "a temporary file needs more than 1 GiB of " + place_);
    }
    // The size doubles each time, so that a file written in small parts is seldom moved. Untouched memory costs
    // nothing.
    const std::uint64_t twice = std::min<std::uint64_t>(2 * memory_.size(), memory_bytes_max);
    const std::size_t wanted = std::max({memory_bytes_min, end, twice});
    if (!memory_.resize(wanted)) {
        return storage::io_failure("make a temporary file in", place_, errno);
    }
    return {};
}

}  // namespace vembed::storage
