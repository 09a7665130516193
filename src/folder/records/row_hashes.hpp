#pragma once
/// rows.sha256 and texts.sha256 of an output folder: what each row's bytes and each text were when they passed through
/// memory, so that what becomes of them on disk later can be told.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/schemes.hpp>
#include <vembed/verify/sha256.hpp>

#include "folder/records/npy_file.hpp"
#include "folder/records/record_file.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

/// Bytes a row takes in each file.
inline constexpr std::size_t row_record_bytes = 32;   ///< SHA-256(row).
inline constexpr std::size_t text_record_bytes = 64;  ///< SHA-256(text), SHA-256(0x00 ‖ text).

class row_hashes {
public:
    row_hashes(storage::file_ops& ops, const std::string& folder);

    /// Of a folder that is `finished` nothing is written, and files that are not there are not missed.
    result<void> open(bool finished);

    /// folder_mismatch where an earlier process had another text for the row. Rows in ascending order.
    result<void> describe(std::uint64_t row, std::string_view text);

    /// values.size() / dimensions rows from row `first` on.
    result<void> write(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values);

    /// The hash of a row that is written elsewhere.
    result<void> write_hash(std::uint64_t row, const digest& hash) { return rows_.write(row, hash); }

    /// Row `to` is what row `from` was when that was written.
    result<void> copy(std::uint64_t from, std::uint64_t to);

    /// What describe() keeps of those rows' texts, in that order; nothing where one of them was never described.
    result<std::optional<std::vector<input_digests>>> texts(std::span<const std::uint64_t> rows);

    /// Makes the rows' hashes durable. Not the texts': what a power cut takes of them is made again when the texts are
    /// described again, and every flush has one file less to wait for.
    result<void> sync();

    /// Makes both files whole and durable for `rows` rows. Rows without a hash, of a folder begun by a version that
    /// kept none, get that of what `rows_file` holds; so every row must be there. invalid_argument where a text was
    /// never described.
    result<void> finish(std::uint64_t rows, npy_file& rows_file);

private:
    result<bool> known(std::uint64_t row, std::span<const std::byte> record);

    record_file rows_;
    record_file texts_;
    bool finished_ = false;
    std::vector<digest> hashes_;    ///< Reused.
    std::vector<std::byte> known_;  ///< Texts' records of earlier processes, from row known_first_ on.
    std::uint64_t known_first_ = 0;
};

}  // namespace vembed::folder
