#include "cli/embedding_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include <vembed/verify/sha256.hpp>

#include "bulk/npy_file.hpp"

namespace vembed::cli {
namespace {

constexpr std::uint64_t block_bytes = 1u << 20;

failure not_ours(const std::string& path, const std::string& why) {
    return {errc::verification_failed, path + " " + why};
}

}  // namespace

result<embedding_file> embedding_file::open(const std::string& folder) {
    embedding_file file;
    std::error_code ignored;
    file.path_ = folder + "/embeddings.npy";
    file.complete_ = std::filesystem::exists(file.path_, ignored);
    if (!file.complete_ && !std::filesystem::exists(file.path_ + ".partial", ignored)) {
        return failure(errc::io, "there is no " + file.path_ + ": is this the output folder of a `vembed embed` run?");
    }
    file.path_ += file.complete_ ? "" : ".partial";
    auto fd = storage::open_regular_file(file.path_);
    if (!fd) {
        return fd.error();
    }
    file.fd_ = std::move(*fd);
    std::array<char, bulk::npy_header_bytes> header{};
    auto got =
        storage::read_at(storage::system_file_ops(), file.fd_.get(), header.data(), header.size(), 0, file.path_);
    if (!got) {
        return got.error();
    }
    const auto shape = bulk::shape_of_npy_header(std::string_view(header.data(), *got));
    struct stat about {};
    if (::fstat(file.fd_.get(), &about) != 0) {
        return storage::io_failure("look at", file.path_, errno);
    }
    if (!shape) {
        return not_ours(file.path_, "does not begin with the header that vembed writes");
    }
    const std::uint64_t body = static_cast<std::uint64_t>(about.st_size) - header.size();
    file.dimensions_ = shape->dimensions;
    constexpr std::uint64_t dimensions_max = std::uint64_t{1} << 40;
    if (shape->dimensions > dimensions_max) {
        return not_ours(file.path_, "claims impossible dimensions");
    }
    const std::uint64_t row_bytes = shape->dimensions * sizeof(float);
    const std::uint64_t room = row_bytes == 0 ? 0 : body / row_bytes;
    file.rows_ = file.complete_ ? shape->rows : room;
    const bool fits = row_bytes == 0 ? body == 0 : body % row_bytes == 0 && room == shape->rows;
    if (file.complete_ && !fits) {
        return not_ours(file.path_, "has " + std::to_string(body) + " bytes of rows, which is not " +
                                        std::to_string(shape->rows) + " rows of " + std::to_string(shape->dimensions) +
                                        " float32");
    }
    return file;
}

result<void> embedding_file::read_rows(std::uint64_t first, std::uint64_t end,
                                       const std::function<result<void>(std::span<const float>)>& see) {
    if (first > end || end > rows_) {
        return failure(errc::verification_failed, path_ + " has no row " + std::to_string(end - 1));
    }
    const std::uint64_t row_bytes = dimensions_ * sizeof(float);
    const std::uint64_t rows_a_block = std::max<std::uint64_t>(1, block_bytes / std::max<std::uint64_t>(row_bytes, 1));
    while (first < end) {
        const std::uint64_t rows = std::min(rows_a_block, end - first);
        block_.resize(rows * dimensions_);
        const std::uint64_t offset = bulk::npy_header_bytes + first * row_bytes;
        auto got =
            storage::read_at(storage::system_file_ops(), fd_.get(), block_.data(), rows * row_bytes, offset, path_);
        if (!got) {
            return got.error();
        }
        if (*got != rows * row_bytes) {
            return failure(errc::verification_failed, path_ + " ends before row " + std::to_string(first + rows - 1));
        }
        if (auto seen = see(std::span<const float>(block_)); !seen) {
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
    std::vector<std::byte> block(block_bytes);
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

}  // namespace vembed::cli
