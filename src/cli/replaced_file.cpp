#include "cli/replaced_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <filesystem>

namespace vembed::cli {

result<replaced_file> replaced_file::create(std::string path) {
    replaced_file made(std::move(path));
    auto fd = storage::open_file(storage::system_file_ops(), made.partial_, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) {
        return fd.error();
    }
    made.fd_ = std::move(*fd);
    return made;
}

replaced_file::~replaced_file() {
    if (fd_) {
        std::error_code ignored;
        std::filesystem::remove(partial_, ignored);
    }
}

result<void> replaced_file::write_at(std::uint64_t offset, const void* from, std::size_t size) {
    return storage::write_at(storage::system_file_ops(), fd_.get(), from, size, offset, partial_);
}

result<void> replaced_file::append(const void* from, std::size_t size) {
    auto written = write_at(end_, from, size);
    end_ += written ? size : 0;
    return written;
}

result<void> replaced_file::finish() {
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

}  // namespace vembed::cli
