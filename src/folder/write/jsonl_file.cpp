#include "folder/write/jsonl_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "corpus/lines/line_reader.hpp"

namespace vembed::folder {
namespace {

// The longest line that vembed writes is a failed row's text; escaped, it takes at most six times file_source's 1 GiB.
constexpr std::uint64_t max_line_bytes = std::uint64_t{8} << 30;

// Shows the complete lines to `see` and returns how many bytes the accepted ones take.
result<std::uint64_t> scan(const std::string& path, const jsonl_file::judge& see) {
    auto bytes = corpus::open_stored_bytes(path);
    if (!bytes) {
        return bytes.error();
    }
    corpus::line_reader lines(std::move(*bytes), path, max_line_bytes);
    std::uint64_t accepted = 0;
    std::string_view line;
    for (std::uint64_t number = 0;; ++number) {
        auto more = lines.next(line);
        if (!more) {
            return more.error();
        }
        if (!*more || !lines.terminated() || !see(line, number)) {
            return accepted;
        }
        accepted += line.size() + 1;
    }
}

// A power cut may lose any part of the bytes that were not synced, also the middle of a line. Lost bytes read as zeros,
// which JSON never has.
bool has_a_hole(std::string_view line) {
    return line.find('\0') != std::string_view::npos;
}

}  // namespace

result<void> jsonl_file::open(const judge& keep) {
    auto fd = storage::open_file(*ops_, path_, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    fd_ = std::move(*fd);
    auto good = scan(path_, [&keep](std::string_view line, std::uint64_t number) {
        return !has_a_hole(line) && keep(line, number);
    });
    if (!good) {
        return good.error();
    }
    size_ = *good;
    pending_.clear();
    // The lines found may not be on disk yet, because an earlier process may have died before its sync().
    dirty_ = true;
    return storage::truncate_file(*ops_, fd_.get(), size_, path_);
}

result<void> jsonl_file::append(std::string_view line) {
    pending_.append(line).append(1, '\n');
    if (pending_.size() <= buffer_bytes_) {
        return {};
    }
    return write_out();
}

result<void> jsonl_file::write_out() {
    if (pending_.empty()) {
        return {};
    }
    dirty_ = true;
    // The offset is known and O_APPEND is not used, so that a retry overwrites what a failed write left.
    auto written = storage::write_at(*ops_, fd_.get(), pending_.data(), pending_.size(), size_, path_);
    if (written) {
        size_ += pending_.size();
        pending_.clear();
    }
    return written;
}

result<void> jsonl_file::sync() {
    if (auto written = write_out(); !written || !dirty_) {
        return written;
    }
    auto synced = storage::sync_data(*ops_, fd_.get(), path_);
    dirty_ = dirty_ && !synced;
    return synced;
}

result<void> jsonl_file::close() {
    const bool empty = size_ == 0 && pending_.empty();
    if (!empty) {
        return sync();
    }
    fd_.reset();
    if (ops_->unlink(path_.c_str()) != 0 && errno != ENOENT) {
        return storage::io_failure("remove", path_, errno);
    }
    return {};
}

result<void> jsonl_file::retain(const judge& keep) {
    jsonl_file kept(*ops_, path_ + ".new", 256 * 1024);
    if (auto opened = kept.open([](std::string_view, std::uint64_t) { return false; }); !opened) {
        return opened;
    }
    result<void> copied;
    auto seen = each([&](std::string_view line, std::uint64_t number) {
        if (keep(line, number)) {
            copied = kept.append(line);
        }
        return copied.has_value();
    });
    if (!seen || !copied) {
        return !seen ? seen : copied;
    }
    if (auto synced = kept.sync(); !synced) {
        return synced;
    }
    if (ops_->rename(kept.path_.c_str(), path_.c_str()) != 0) {
        return storage::io_failure("replace", path_, errno);
    }
    fd_ = std::move(kept.fd_);
    size_ = kept.size_;
    dirty_ = false;
    return storage::sync_folder(*ops_, storage::folder_of(path_));
}

result<void> jsonl_file::each(const judge& see) {
    if (auto written = write_out(); !written) {
        return written;
    }
    auto scanned = scan(path_, see);
    if (!scanned) {
        return scanned.error();
    }
    return {};
}

}  // namespace vembed::folder
