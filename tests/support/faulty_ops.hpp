#pragma once
/// System calls that fail when and how a test says.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "storage/file_ops.hpp"

namespace vembed::testing {

class faulty_ops : public storage::file_ops {
public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t die_at = never;       ///< From this call that changes something on, every call fails with EIO.
    std::size_t write_most = SIZE_MAX;  ///< No write moves more bytes than this.
    bool interrupt_writes = false;      ///< Every other write fails with EINTR.
    std::uint64_t space = never;        ///< Bytes that can still be written; then ENOSPC.
    std::uint64_t blocks = never;       ///< Of 4096 bytes, that statvfs says are free; never: as it is.
    bool sizeless = false;              ///< statvfs says that the file system has no size.
    bool hides_holes = false;           ///< lseek does not tell them.
    bool refuse_sync = false;
    bool refuse_rename = false;

    std::uint64_t calls = 0;  ///< That change something.
    std::uint64_t writes = 0;
    std::uint64_t syncs = 0;

    int open(const char* path, int flags, mode_t mode) noexcept override {
        return dead() ? broken() : storage::file_ops::open(path, flags, mode);
    }
    ssize_t pwrite(int fd, const void* from, std::size_t size, off_t offset) noexcept override {
        ++writes;
        if (interrupt_writes && writes % 2 == 1) {
            errno = EINTR;
            return -1;
        }
        if (const std::uint64_t call = calls++; call >= die_at) {
            if (call == die_at) {
                (void)storage::file_ops::pwrite(fd, from, size / 2, offset);  // the last thing it did was done by half
            }
            return broken();
        }
        if (space == 0) {
            errno = ENOSPC;
            return -1;
        }
        const auto moved =
            storage::file_ops::pwrite(fd, from, std::min({size, write_most, static_cast<std::size_t>(space)}), offset);
        if (space != never && moved > 0) {
            space -= static_cast<std::uint64_t>(moved);
        }
        return moved;
    }
    int fdatasync(int fd) noexcept override {
        ++syncs;
        return refuse_sync || dead() ? broken() : storage::file_ops::fdatasync(fd);
    }
    int fsync(int fd) noexcept override {
        ++syncs;
        return refuse_sync || dead() ? broken() : storage::file_ops::fsync(fd);
    }
    int ftruncate(int fd, off_t size) noexcept override {
        return dead() ? broken() : storage::file_ops::ftruncate(fd, size);
    }
    int rename(const char* from, const char* to) noexcept override {
        return refuse_rename || dead() ? broken() : storage::file_ops::rename(from, to);
    }
    int unlink(const char* path) noexcept override { return dead() ? broken() : storage::file_ops::unlink(path); }
    off_t lseek(int fd, off_t offset, int whence) noexcept override {
        if (hides_holes) {
            errno = EINVAL;
            return -1;
        }
        return storage::file_ops::lseek(fd, offset, whence);
    }
    int statvfs(const char* path, struct ::statvfs* into) noexcept override {
        const int done = storage::file_ops::statvfs(path, into);
        if (done == 0 && blocks != never) {
            into->f_frsize = 4096;
            into->f_bfree = into->f_bavail = blocks;
        }
        into->f_blocks = sizeless ? 0 : into->f_blocks;
        return done;
    }

private:
    bool dead() noexcept { return calls++ >= die_at; }
    static int broken() noexcept {
        errno = EIO;
        return -1;
    }
};

}  // namespace vembed::testing
