#include "folder/records/row_hashes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <vembed/verify/row_root.hpp>

#include "folder/layout.hpp"

namespace vembed::folder {
namespace {

constexpr std::uint64_t texts_a_block = 1024;

error damaged(const std::string& path, std::uint64_t row) {
    return {
        errc::folder_mismatch,
        path + " has another text for row " + std::to_string(row) +
            " than this corpus; the folder belongs to another corpus, choose another one. If it is the same corpus, "
            "the file is damaged: remove it and run the same command again, it is made anew"};
}

}  // namespace

row_hashes::row_hashes(storage::file_ops& ops, const std::string& folder)
    : rows_(ops, layout::in(folder, layout::row_hashes), row_record_bytes),
      texts_(ops, layout::in(folder, layout::text_hashes), text_record_bytes) {}

result<void> row_hashes::open(bool finished) {
    finished_ = finished;
    known_.clear();
    for (record_file* file : {&rows_, &texts_}) {
        if (auto opened = finished ? file->open_to_read() : file->open(); !opened) {
            return opened;
        }
    }
    return {};
}

// Whether an earlier process wrote this record for the row's text.
result<bool> row_hashes::known(std::uint64_t row, std::span<const std::byte> record) {
    if (row >= texts_.count_at_open()) {
        return false;
    }
    if (row < known_first_ || row - known_first_ >= known_.size() / text_record_bytes) {
        known_first_ = row;
        known_.resize(std::min(texts_a_block, texts_.count_at_open() - row) * text_record_bytes);
        if (auto got = texts_.read(row, known_); !got) {
            known_.clear();
            return got.error();
        }
    }
    const auto before = std::span(known_).subspan((row - known_first_) * text_record_bytes, text_record_bytes);
    if (std::ranges::all_of(before, [](std::byte b) { return b == std::byte{0}; })) {
        return false;
    }
    if (!std::ranges::equal(before, record)) {
        return damaged(texts_.path(), row);
    }
    return true;
}

result<void> row_hashes::describe(std::uint64_t row, std::string_view text) {
    const input_digests digests(text);
    std::array<std::byte, text_record_bytes> record;
    const auto middle = std::ranges::copy(digests.text, record.begin()).out;
    std::ranges::copy(digests.prefixed, middle);
    auto there = known(row, record);
    if (!there) {
        return there.error();
    }
    return *there || finished_ ? result<void>() : texts_.write(row, record);
}

result<void> row_hashes::write(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values) {
    hashes_.resize(values.size() / dimensions);
    hash_rows(values, hashes_);
    return rows_.write(first, std::as_bytes(std::span<const digest>(hashes_)));
}

result<void> row_hashes::copy(std::uint64_t from, std::uint64_t to) {
    std::array<std::byte, row_record_bytes> record;
    if (auto read = rows_.read(from, record); !read) {
        return read;
    }
    return rows_.write(to, record);
}

result<std::optional<std::vector<input_digests>>> row_hashes::texts(std::span<const std::uint64_t> rows) {
    std::vector<input_digests> found;
    found.reserve(rows.size());
    for (const std::uint64_t row : rows) {
        std::array<std::byte, text_record_bytes> record;
        if (auto read = texts_.read(row, record); !read) {
            return read.error();
        }
        if (std::ranges::all_of(record, [](std::byte b) { return b == std::byte{0}; })) {
            return std::optional<std::vector<input_digests>>();
        }
        input_digests& digests = found.emplace_back();
        std::copy_n(record.begin(), digests.text.size(), digests.text.begin());
        std::copy_n(record.begin() + digests.text.size(), digests.prefixed.size(), digests.prefixed.begin());
    }
    return std::optional(std::move(found));
}

result<void> row_hashes::sync() {
    if (finished_) {
        return {};
    }
    if (auto written = texts_.write_out(); !written) {
        return written;
    }
    return rows_.sync();
}

result<void> row_hashes::finish(std::uint64_t rows, npy_file& rows_file) {
    std::vector<float> values;
    auto whole = rows_.complete(rows, [&](std::uint64_t row, std::span<std::byte> record) -> result<void> {
        auto read = rows_file.read_row(row, values);
        if (!read) {
            return read.error();
        }
        if (!*read) {
            return error(errc::folder_mismatch, rows_file.partial_path() + " ends before row " + std::to_string(row) +
                                                    "; was the file replaced? Choose another folder");
        }
        std::ranges::copy(sha256_of(std::as_bytes(std::span<const float>(values))), record.begin());
        return {};
    });
    if (!whole) {
        return whole;
    }
    return texts_.complete(rows, [this](std::uint64_t row, std::span<std::byte>) -> result<void> {
        return error(errc::invalid_argument, "npy_sink: " + texts_.path() + " has no hash of the text of row " +
                                                 std::to_string(row) + ": describe every row in this process");
    });
}

}  // namespace vembed::folder
