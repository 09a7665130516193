#include "folder/records/embedding_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include "folder/layout.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include <vembed/verify/sha256.hpp>

namespace vembed::folder {
namespace {

// A block fits a core's own cache, so that it is hashed before it leaves the cache.
constexpr std::uint64_t read_block_bytes = 128u << 10;
constexpr std::uint64_t dimensions_max = std::uint64_t{1} << 24;

error not_there(const std::string& path) {
    return {errc::io, "there is no " + path + ": is this the output folder of a `vembed embed` run?"};
}

std::uint64_t row_bytes_of(const folder::npy_shape& shape) {
    return shape.dimensions * sizeof(float);
}

// Whether rows of that shape take exactly `body` bytes.
bool fits(const folder::npy_shape& shape, std::uint64_t body) {
    const std::uint64_t row_bytes = row_bytes_of(shape);
    return row_bytes == 0 ? body == 0 : body % row_bytes == 0 && body / row_bytes == shape.rows;
}

std::string described(const folder::npy_shape& shape) {
    return std::to_string(shape.rows) + " rows of " + std::to_string(shape.dimensions) + " float32";
}

}  // namespace

result<void> embedding_file::open_path() {
    auto fd = storage::open_regular_file(path_);
    if (!fd) {
        return fd.error();
    }
    fd_ = std::move(*fd);
    return {};
}

result<void> embedding_file::read_shape(const std::optional<folder::npy_shape>& recorded) {
    std::array<char, folder::npy_header_bytes> header{};
    auto got = storage::read_at(storage::system_file_ops(), fd_.get(), header.data(), header.size(), 0, path_);
    if (!got) {
        return got.error();
    }
    struct stat about {};
    if (::fstat(fd_.get(), &about) != 0) {
        return storage::io_failure("look at", path_, errno);
    }
    const auto size = static_cast<std::uint64_t>(about.st_size);
    const std::uint64_t body = size - std::min<std::uint64_t>(size, header.size());
    std::optional<folder::npy_shape> said = folder::shape_of_npy_header(std::string_view(header.data(), *got));
    if (said && said->dimensions > dimensions_max) {
        objection_ = path_ + " claims impossible dimensions";
        said.reset();
    } else if (!said) {
        objection_ = path_ + " does not begin with the header that vembed writes";
    } else if (complete_ && !fits(*said, body)) {
        objection_ = path_ + " has " + std::to_string(body) + " bytes of rows, which is not " + described(*said);
    }
    const bool recorded_counts = recorded && !objection_.empty() && (!said || fits(*recorded, body));
    const folder::npy_shape shape = recorded_counts ? *recorded : said.value_or(folder::npy_shape());
    dimensions_ = shape.dimensions;
    const std::uint64_t row_bytes = row_bytes_of(shape);
    const std::uint64_t room = row_bytes == 0 ? 0 : body / row_bytes;
    rows_ = complete_ ? shape.rows : room;
    rows_there_ = row_bytes == 0 && body == 0 ? rows_ : std::min(rows_, room);
    return {};
}

result<embedding_file> embedding_file::open_to_check(const std::string& folder,
                                                     const std::optional<folder::npy_shape>& recorded) {
    embedding_file file;
    std::error_code ignored;
    file.path_ = layout::in(folder, layout::embeddings);
    const bool there = std::filesystem::exists(file.path_, ignored);
    file.complete_ = there || recorded.has_value();
    if (!there && recorded) {
        file.objection_ = file.path_ + " is missing";
        file.rows_ = recorded->rows;
        file.dimensions_ = recorded->dimensions;
        return file;
    }
    if (!there && !std::filesystem::exists(file.path_ + ".partial", ignored)) {
        return not_there(file.path_);
    }
    file.path_ += there ? "" : ".partial";
    if (auto opened = file.open_path(); !opened) {
        return opened.error();
    }
    if (auto read = file.read_shape(recorded); !read) {
        return read.error();
    }
    return file;
}

result<embedding_file> embedding_file::open(const std::string& folder) {
    auto file = open_to_check(folder, std::nullopt);
    if (file && !file->objection().empty()) {
        return error(errc::verification_failed, file->objection());
    }
    return file;
}

std::uint64_t embedding_file::rows_a_block() const noexcept {
    const std::uint64_t row_bytes = dimensions_ * sizeof(float);
    return std::max<std::uint64_t>(1, read_block_bytes / std::max<std::uint64_t>(row_bytes, 1));
}

result<std::span<const float>> embedding_file::read_block(std::uint64_t first, std::uint64_t end,
                                                          std::vector<float>& into) {
    if (first == end) {
        return std::span<const float>();
    }
    if (first > end || end > rows_there_) {
        return error(errc::verification_failed, path_ + " has no row " + std::to_string(end - 1));
    }
    into.resize((end - first) * dimensions_);
    const std::uint64_t offset = folder::npy_header_bytes + first * dimensions_ * sizeof(float);
    const std::uint64_t bytes = into.size() * sizeof(float);
    auto got = storage::read_at(storage::system_file_ops(), fd_.get(), into.data(), bytes, offset, path_);
    if (!got) {
        return got.error();
    }
    if (*got != bytes) {
        return error(errc::verification_failed, path_ + " ends before row " + std::to_string(end - 1));
    }
    return std::span<const float>(into);
}

result<void> embedding_file::read_rows(std::uint64_t first, std::uint64_t end,
                                       const std::function<result<void>(std::span<const float>)>& see) {
    if (first == end) {
        return {};
    }
    if (first > end || end > rows_there_) {
        return error(errc::verification_failed, path_ + " has no row " + std::to_string(end - 1));
    }
    while (first < end) {
        const std::uint64_t rows = std::min(rows_a_block(), end - first);
        auto block = read_block(first, first + rows, block_);
        if (!block) {
            return block.error();
        }
        if (auto seen = see(*block); !seen) {
            return seen;
        }
        first += rows;
    }
    return {};
}

result<file_digest> digest_of_file(const std::string& path) {
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    std::vector<std::byte> block(read_block_bytes);
    sha256 hash;
    file_digest out;
    for (;;) {
        auto got = storage::read_at(storage::system_file_ops(), fd->get(), block.data(), block.size(), out.bytes, path);
        if (!got) {
            return got.error();
        }
        if (*got == 0) {
            out.sha256 = to_hex(hash.finish());
            return out;
        }
        hash.update(std::span(block).first(*got));
        out.bytes += *got;
    }
}

}  // namespace vembed::folder
