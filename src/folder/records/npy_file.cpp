#include "folder/records/npy_file.hpp"

#include <fcntl.h>
#include "folder/layout.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace vembed::folder {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are written as they are in memory");

constexpr std::string_view magic("\x93NUMPY\x01\x00\x76\x00", 10);  // version 1.0, 118 bytes of header text
constexpr std::string_view before_shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
constexpr std::string_view after_shape = "), }";
constexpr std::uint64_t max_file_bytes = std::numeric_limits<off_t>::max();

error folder_mismatch(std::string message) {
    return {errc::folder_mismatch, std::move(message)};
}

bool fits_file(std::uint64_t rows, std::uint64_t dimensions) {
    constexpr std::uint64_t most = (max_file_bytes - npy_header_bytes) / sizeof(float);
    return dimensions == 0 || rows <= most / dimensions;
}

std::uint64_t offset_of(std::uint64_t row, std::uint64_t dimensions) {
    return npy_header_bytes + row * dimensions * sizeof(float);
}

result<std::string> read_header(storage::file_ops& ops, int fd, const std::string& path) {
    std::string header(npy_header_bytes, '\0');
    auto got = storage::read_at(ops, fd, header.data(), header.size(), 0, path);
    if (!got) {
        return got.error();
    }
    header.resize(*got);
    return header;
}

std::string describe(const npy_shape& shape) {
    return "(" + std::to_string(shape.rows) + ", " + std::to_string(shape.dimensions) + ")";
}

}  // namespace

std::array<char, npy_header_bytes> npy_header(const npy_shape& shape) {
    std::string text(magic);
    text.append(before_shape).append(std::to_string(shape.rows)).append(", ");
    text.append(std::to_string(shape.dimensions)).append(after_shape);
    text.resize(npy_header_bytes - 1, ' ');
    text += '\n';
    std::array<char, npy_header_bytes> header{};
    std::copy(text.begin(), text.end(), header.begin());
    return header;
}

std::optional<npy_shape> shape_of_npy_header(std::string_view header) {
    const std::size_t numbers = magic.size() + before_shape.size();
    if (header.size() != npy_header_bytes) {
        return std::nullopt;
    }
    npy_shape shape;
    const char* end = header.data() + header.size();
    auto [after_rows, bad_rows] = std::from_chars(header.data() + numbers, end, shape.rows);
    if (bad_rows != std::errc() || end - after_rows < 2) {
        return std::nullopt;
    }
    const auto [after_all, bad_dimensions] = std::from_chars(after_rows + 2, end, shape.dimensions);
    (void)after_all;
    const auto expected = npy_header(shape);
    if (bad_dimensions != std::errc() || header != std::string_view(expected.data(), expected.size())) {
        return std::nullopt;
    }
    return shape;
}

npy_file::npy_file(storage::file_ops& ops, const std::string& folder)
    : ops_(&ops),
      folder_(folder),
      final_path_(layout::in(folder, layout::embeddings)),
      partial_path_(layout::in(folder, layout::embeddings_partial)) {}

result<void> npy_file::open() {
    fd_.reset();
    dimensions_ = 0;
    completed_.reset();
    continued_ = false;
    auto completed = storage::open_existing(*ops_, final_path_, O_RDWR);
    if (!completed) {
        return completed.error();
    }
    if (completed->has_value()) {
        return open_completed(std::move(**completed));
    }
    auto partial = storage::open_existing(*ops_, partial_path_, O_RDWR);
    if (!partial) {
        return partial.error();
    }
    if (partial->has_value()) {
        return open_partial(std::move(**partial));
    }
    return {};
}

result<void> npy_file::open_completed(storage::unique_fd fd) {
    auto header = read_header(*ops_, fd.get(), final_path_);
    if (!header) {
        return header.error();
    }
    auto size = storage::size_of(fd.get(), final_path_);
    if (!size) {
        return size.error();
    }
    const auto shape = shape_of_npy_header(*header);
    if (!shape || !fits_file(shape->rows, shape->dimensions) || *size != offset_of(shape->rows, shape->dimensions)) {
        return folder_mismatch(final_path_ + " was not written by a run of this kind; choose another folder");
    }
    completed_ = *shape;
    dimensions_ = shape->dimensions;
    fd_ = std::move(fd);
    return {};
}

result<void> npy_file::open_partial(storage::unique_fd fd) {
    auto header = read_header(*ops_, fd.get(), partial_path_);
    if (!header) {
        return header.error();
    }
    // A process that died before its first flush() may leave a header that is torn or that never reached the disk.
    if (header->size() < npy_header_bytes || header->find_first_not_of('\0') == std::string::npos) {
        return {};
    }
    const auto shape = shape_of_npy_header(*header);
    if (!shape) {
        return folder_mismatch(partial_path_ +
                               " was not written by a run of this kind, or is damaged; choose another folder");
    }
    if (shape->dimensions > 0) {
        dimensions_ = shape->dimensions;
        continued_ = true;
        fd_ = std::move(fd);
        dirty_ = true;
    }
    return {};
}

result<void> npy_file::settle_dimensions(std::uint64_t dimensions) {
    if (fd_) {
        if (dimensions == dimensions_) {
            return {};
        }
        const std::string what = "rows of " + std::to_string(dimensions) + " dimensions do not go with the " +
                                 std::to_string(dimensions_) + " dimensions of " + partial_path_;
        return continued_ ? folder_mismatch(what + "; was that folder made with another model? Choose another one")
                          : error(errc::invalid_argument, what);
    }
    if (!fits_file(1, dimensions)) {
        return error(errc::invalid_argument, std::to_string(dimensions) + " dimensions do not fit into a file");
    }
    auto fd = storage::open_file(*ops_, partial_path_, O_RDWR | O_CREAT | O_TRUNC);
    if (!fd) {
        return fd.error();
    }
    // The file has a header from the start, so that a continued run knows the dimensions. finish() sets its number of
    // rows.
    const auto header = npy_header(npy_shape(0, dimensions));
    if (auto written = storage::write_at(*ops_, fd->get(), header.data(), header.size(), 0, partial_path_); !written) {
        return written;
    }
    if (auto synced = storage::sync_folder(*ops_, folder_); !synced) {
        return synced;
    }
    fd_ = std::move(*fd);
    dimensions_ = dimensions;
    dirty_ = true;
    return {};
}

result<void> npy_file::write_rows(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values) {
    if (auto settled = settle_dimensions(dimensions); !settled) {
        return settled;
    }
    const std::uint64_t rows = values.size() / dimensions;
    if (first > std::numeric_limits<std::uint64_t>::max() - rows || !fits_file(first + rows, dimensions)) {
        return error(errc::invalid_argument, "row " + std::to_string(first) + " lies beyond what a file can hold");
    }
    dirty_ = true;
    return storage::write_at(*ops_, fd_.get(), values.data(), values.size_bytes(), offset_of(first, dimensions),
                             partial_path_);
}

result<bool> npy_file::read_row(std::uint64_t row, std::vector<float>& values) {
    if (!fd_ || dimensions_ == 0 || row == std::numeric_limits<std::uint64_t>::max() ||
        !fits_file(row + 1, dimensions_)) {
        return false;
    }
    values.resize(dimensions_);
    const std::size_t size = dimensions_ * sizeof(float);
    auto got = storage::read_at(*ops_, fd_.get(), values.data(), size, offset_of(row, dimensions_), path());
    if (!got) {
        return got.error();
    }
    return *got == size;
}

result<void> npy_file::copy_row(std::uint64_t from, std::uint64_t to) {
    auto read = read_row(from, row_);
    if (!read) {
        return read.error();
    }
    if (!*read) {
        return folder_mismatch(
            partial_path_ + " ends before row " + std::to_string(from) +
            " although the run says that it was written; was the file replaced? Choose another folder");
    }
    return write_rows(to, dimensions_, row_);
}

result<bool> npy_file::holds(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values) {
    if (dimensions != dimensions_) {
        return false;
    }
    for (; !values.empty(); values = values.subspan(dimensions)) {
        auto read = read_row(first++, row_);
        if (!read || !*read) {
            return read;
        }
        if (std::memcmp(row_.data(), values.data(), dimensions * sizeof(float)) != 0) {
            return false;
        }
    }
    return true;
}

result<bool> npy_file::same_rows(std::uint64_t a, std::uint64_t b) {
    for (const auto& [row, values] : {std::pair(a, &row_), std::pair(b, &other_)}) {
        auto read = read_row(row, *values);
        if (!read || !*read) {
            return read;
        }
    }
    return std::memcmp(row_.data(), other_.data(), dimensions_ * sizeof(float)) == 0;
}

result<void> npy_file::sync() {
    if (!dirty_) {
        return {};
    }
    auto synced = storage::sync_data(*ops_, fd_.get(), partial_path_);
    dirty_ = !synced;
    return synced;
}

result<void> npy_file::finish(std::uint64_t rows) {
    const npy_shape shape(rows, dimensions_);
    if (completed_) {
        if (*completed_ == shape) {
            return storage::sync_folder(*ops_, folder_);
        }
        return folder_mismatch(final_path_ + " has the shape " + describe(*completed_) + ", this run has " +
                               describe(shape) + "; choose another folder");
    }
    auto size = storage::size_of(fd_.get(), partial_path_);
    if (!size) {
        return size.error();
    }
    if (!fits_file(rows, dimensions_) || *size < offset_of(rows, dimensions_)) {
        return folder_mismatch(partial_path_ + " does not hold all " + std::to_string(rows) +
                               " rows although the run says so; was the file replaced? Choose another folder");
    }
    const auto header = npy_header(shape);
    if (auto done = storage::write_at(*ops_, fd_.get(), header.data(), header.size(), 0, partial_path_); !done) {
        return done;
    }
    if (auto done = storage::truncate_file(*ops_, fd_.get(), offset_of(rows, dimensions_), partial_path_); !done) {
        return done;
    }
    if (ops_->fsync(fd_.get()) != 0) {
        return storage::io_failure("make durable", partial_path_, errno);
    }
    if (ops_->rename(partial_path_.c_str(), final_path_.c_str()) != 0) {
        return storage::io_failure("give its final name to", partial_path_, errno);
    }
    completed_ = shape;
    dirty_ = false;
    return storage::sync_folder(*ops_, folder_);
}

}  // namespace vembed::folder
