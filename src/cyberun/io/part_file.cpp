#include "cyberun/io/part_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace vembed::cyberun {
namespace {

constexpr std::size_t hashed_at_once = std::size_t{1} << 20;

}  // namespace

result<part_file> part_file::create(std::string folder, const std::string& stem) {
    storage::file_ops& ops = storage::system_file_ops();
    const result<void> there = storage::make_folder(ops, folder);
    if (!there) {
        return there.error();
    }
    std::string path = folder + "/" + stem + ".part";
    // Whoever may write in the folder must not choose where the bytes go; a pipe must not block.
    result<storage::unique_fd> fd = storage::open_file(ops, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
    if (!fd) {
        return fd.error();
    }
    struct ::stat about {};
    if (::fstat(fd->get(), &about) != 0) {
        return storage::io_failure("cannot examine", path, errno);
    }
    if (!S_ISREG(about.st_mode) || about.st_nlink != 1) {
        return error(errc::io, path + " is no regular file of its own: remove it, or download into another folder");
    }
    part_file made(std::move(*fd), std::move(folder), std::move(path));
    const result<void> emptied = made.cut(0);
    if (!emptied) {
        return emptied.error();
    }
    return made;
}

result<void> part_file::cut(std::uint64_t size) {
    result<void> done = storage::truncate_file(storage::system_file_ops(), fd_.get(), size, path_);
    size_ = done ? size : size_;
    return done;
}

result<void> part_file::append(std::span<const std::byte> bytes) {
    result<void> done =
        storage::write_at(storage::system_file_ops(), fd_.get(), bytes.data(), bytes.size(), size_, path_);
    size_ += done ? bytes.size() : 0;
    return done;
}

result<integrity> part_file::check(const expected_digest& expected) {
    content_hasher hasher(expected);
    if (!hasher.can_check()) {
        return integrity::not_checkable;
    }
    std::vector<std::byte> block(hashed_at_once);
    for (std::uint64_t at = 0; at < size_;) {
        const result<std::size_t> got =
            storage::read_at(storage::system_file_ops(), fd_.get(), block.data(), block.size(), at, path_);
        if (!got) {
            return got.error();
        }
        if (*got == 0) {
            return error(errc::io, path_ + " became shorter while it was downloaded");
        }
        hasher.update(std::span(block).first(*got));
        at += *got;
    }
    return hasher.finish();
}

result<std::string> part_file::finish(const std::string& name) {
    storage::file_ops& ops = storage::system_file_ops();
    if (ops.fsync(fd_.get()) != 0) {
        return storage::io_failure("cannot write", path_, errno);
    }
    std::string path = folder_ + "/" + name;
    if (ops.rename(path_.c_str(), path.c_str()) != 0) {
        return storage::io_failure("cannot name", path, errno);
    }
    const result<void> synced = storage::sync_folder(ops, folder_);
    if (!synced) {
        return synced.error();
    }
    return path;
}

void part_file::discard() noexcept {
    // It is only in the way of nobody if it stays: the next download begins it anew.
    static_cast<void>(storage::system_file_ops().unlink(path_.c_str()));
}

}  // namespace vembed::cyberun
