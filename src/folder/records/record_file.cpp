#include "folder/records/record_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

namespace vembed::folder {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;

bool all_zero(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

result<void> record_file::open() {
    auto fd = storage::open_file(*ops_, path_, O_RDWR | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    auto size = storage::size_of(fd->get(), path_);
    if (!size) {
        return size.error();
    }
    fd_ = std::move(*fd);
    count_at_open_ = *size / record_bytes_;
    pending_.clear();
    // The records found may not be on disk yet, because an earlier process may have died before its sync().
    dirty_ = true;
    const std::uint64_t whole = count_at_open_ * record_bytes_;
    return whole == *size ? result<void>() : storage::truncate_file(*ops_, fd_.get(), whole, path_);
}

result<void> record_file::open_to_read() {
    auto fd = storage::open_existing(*ops_, path_, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    fd_.reset();
    count_at_open_ = 0;
    pending_.clear();
    if (!fd->has_value()) {
        return {};
    }
    auto size = storage::size_of((*fd)->get(), path_);
    if (!size) {
        return size.error();
    }
    fd_ = std::move(**fd);
    count_at_open_ = *size / record_bytes_;
    return {};
}

result<void> record_file::write(std::uint64_t first, std::span<const std::byte> records) {
    const std::uint64_t pending_end = pending_first_ + pending_.size() / record_bytes_;
    const bool neighbours = first >= pending_first_ && first <= pending_end;
    if (!pending_.empty() && !neighbours) {
        if (auto written = write_out(); !written) {
            return written;
        }
    }
    if (pending_.empty()) {
        pending_first_ = first;
    }
    const auto at = static_cast<std::size_t>((first - pending_first_) * record_bytes_);
    pending_.resize(std::max(pending_.size(), at + records.size()));
    std::ranges::copy(records, pending_.begin() + static_cast<std::ptrdiff_t>(at));
    return pending_.size() < block_bytes ? result<void>() : write_out();
}

result<void> record_file::write_out() {
    if (pending_.empty()) {
        return {};
    }
    if (pending_first_ > std::numeric_limits<std::uint64_t>::max() / record_bytes_) {
        return storage::io_failure("write", path_, EFBIG);
    }
    dirty_ = true;
    auto written =
        storage::write_at(*ops_, fd_.get(), pending_.data(), pending_.size(), pending_first_ * record_bytes_, path_);
    if (written) {
        pending_.clear();
    }
    return written;
}

result<void> record_file::read(std::uint64_t first, std::span<std::byte> into) {
    const std::uint64_t end = first + into.size() / record_bytes_;
    const std::uint64_t pending_end = pending_first_ + pending_.size() / record_bytes_;
    if (first < pending_end && end > pending_first_) {
        if (auto written = write_out(); !written) {
            return written;
        }
    }
    std::size_t have = 0;
    if (fd_ && first <= std::numeric_limits<std::uint64_t>::max() / record_bytes_) {
        auto got = storage::read_at(*ops_, fd_.get(), into.data(), into.size(), first * record_bytes_, path_);
        if (!got) {
            return got.error();
        }
        have = *got - *got % record_bytes_;
    }
    std::ranges::fill(into.subspan(have), std::byte{0});
    return {};
}

result<void> record_file::sync() {
    if (auto written = write_out(); !written || !dirty_) {
        return written;
    }
    auto synced = storage::sync_data(*ops_, fd_.get(), path_);
    dirty_ = !synced;
    return synced;
}

/// Goes through `count` records, as many at a time as fit into a block.
class record_file::block {
public:
    block(record_file& file, std::uint64_t count) : file_(&file), count_(count) {}

    /// Reads the next records; none at the end.
    result<std::span<std::byte>> next() {
        first_ += bytes_.size() / file_->record_bytes_;
        const std::uint64_t most = std::max<std::uint64_t>(1, block_bytes / file_->record_bytes_);
        bytes_.resize(static_cast<std::size_t>(std::min(most, count_ - first_) * file_->record_bytes_));
        if (!bytes_.empty()) {
            if (auto got = file_->read(first_, bytes_); !got) {
                return got.error();
            }
        }
        return std::span<std::byte>(bytes_);
    }

    /// The number of the first record that next() returned.
    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }

private:
    record_file* file_;
    std::uint64_t count_;
    std::uint64_t first_ = 0;
    std::vector<std::byte> bytes_;
};

result<bool> record_file::lacks_any(std::uint64_t count) {
    block blocks(*this, count);
    for (;;) {
        auto records = blocks.next();
        if (!records) {
            return records.error();
        }
        if (records->empty()) {
            return false;
        }
        for (auto rest = *records; !rest.empty(); rest = rest.subspan(record_bytes_)) {
            if (all_zero(rest.first(record_bytes_))) {
                return true;
            }
        }
    }
}

// A new file is written, because a crash would tear a record in place and it would no longer be recognized as missing.
result<void> record_file::replace(std::uint64_t count, const maker& make) {
    record_file whole(*ops_, path_ + ".new", record_bytes_);
    auto fd = storage::open_file(*ops_, whole.path_, O_RDWR | O_CREAT | O_TRUNC);
    if (!fd) {
        return fd.error();
    }
    whole.fd_ = std::move(*fd);
    block blocks(*this, count);
    for (;;) {
        auto records = blocks.next();
        if (!records) {
            return records.error();
        }
        if (records->empty()) {
            break;
        }
        for (std::size_t at = 0; at < records->size(); at += record_bytes_) {
            const auto record = records->subspan(at, record_bytes_);
            if (!all_zero(record)) {
                continue;
            }
            if (auto made = make(blocks.first() + at / record_bytes_, record); !made) {
                return made;
            }
        }
        if (auto written = whole.write(blocks.first(), *records); !written) {
            return written;
        }
    }
    if (auto synced = whole.sync(); !synced) {
        return synced;
    }
    if (ops_->rename(whole.path_.c_str(), path_.c_str()) != 0) {
        return storage::io_failure("replace", path_, errno);
    }
    fd_ = std::move(whole.fd_);
    dirty_ = false;
    return storage::sync_folder(*ops_, storage::folder_of(path_));
}

result<void> record_file::complete(std::uint64_t count, const maker& make) {
    if (auto written = write_out(); !written) {
        return written;
    }
    auto lacking = lacks_any(count);
    if (!lacking) {
        return lacking.error();
    }
    if (*lacking) {
        return replace(count, make);
    }
    auto size = storage::size_of(fd_.get(), path_);
    if (!size) {
        return size.error();
    }
    if (*size != count * record_bytes_) {
        dirty_ = true;
        if (auto cut = storage::truncate_file(*ops_, fd_.get(), count * record_bytes_, path_); !cut) {
            return cut;
        }
    }
    return sync();
}

}  // namespace vembed::folder
