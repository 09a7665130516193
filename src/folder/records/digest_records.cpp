#include "folder/records/digest_records.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <vembed/verify/row_root.hpp>

namespace vembed::folder {
namespace {

constexpr std::uint64_t records_a_block = 4096;

error ends_early(const digest_records& file) {
    return {errc::verification_failed, file.path() + " ends after " + std::to_string(file.count()) + " rows"};
}

}  // namespace

result<std::optional<digest_records>> digest_records::open(const std::string& path, std::size_t record_bytes) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return std::optional<digest_records>();
    }
    auto fd = storage::open_regular_file(path);
    if (!fd) {
        return fd.error();
    }
    struct stat about {};
    if (::fstat(fd->get(), &about) != 0) {
        return storage::io_failure("look at", path, errno);
    }
    digest_records file;
    file.fd_ = std::move(*fd);
    file.path_ = path;
    file.record_bytes_ = record_bytes;
    file.bytes_ = static_cast<std::uint64_t>(about.st_size);
    return std::optional<digest_records>(std::move(file));
}

result<std::span<const std::byte>> digest_records::read(std::uint64_t first, std::uint64_t count) {
    const std::uint64_t there = first < this->count() ? std::min(count, this->count() - first) : 0;
    block_.resize(there * record_bytes_);
    auto got = storage::read_at(storage::system_file_ops(), fd_.get(), block_.data(), block_.size(),
                                first * record_bytes_, path_);
    if (!got) {
        return got.error();
    }
    return std::span<const std::byte>(block_).first(*got - *got % record_bytes_);
}

digest digest_at(std::span<const std::byte> from) {
    digest out{};
    std::ranges::copy(from.first(out.size()), out.begin());
    return out;
}

result<digest> row_root_of(digest_records& texts, digest_records& rows_digests, std::uint64_t rows,
                           const std::stop_token& stop) {
    row_root_builder tree;
    for (std::uint64_t first = 0; first < rows; first += records_a_block) {
        if (stop.stop_requested()) {
            return error(errc::cancelled, "interrupted");
        }
        const std::uint64_t count = std::min(records_a_block, rows - first);
        const auto of_texts = texts.read(first, count);
        const auto of_rows = rows_digests.read(first, count);
        if (!of_texts || !of_rows) {
            return of_texts ? of_rows.error() : of_texts.error();
        }
        if (of_texts->size() < count * text_digests_bytes || of_rows->size() < count * row_digest_bytes) {
            return ends_early(of_texts->size() < count * text_digests_bytes ? texts : rows_digests);
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            tree.add(digest_at(of_texts->subspan(i * text_digests_bytes)),
                     digest_at(of_rows->subspan(i * row_digest_bytes)));
        }
    }
    return tree.root();
}

}  // namespace vembed::folder
