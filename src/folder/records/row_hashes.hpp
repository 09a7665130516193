#pragma once
/// Writes rows.sha256 and texts.sha256 of an output folder. They have the hashes of each row's bytes and of each text
/// as they were in memory, so that a later change on disk can be detected.

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

/// The bytes that a row takes in each file.
inline constexpr std::size_t row_record_bytes = 32;   ///< SHA-256(row).
inline constexpr std::size_t text_record_bytes = 64;  ///< SHA-256(text), SHA-256(0x00 ‖ text).

class row_hashes {
public:
    row_hashes(storage::file_ops& ops, const std::string& folder);

    /// If the folder is `finished`, nothing is written and files may be missing.
    result<void> open(bool finished);

    /// Hashes the text of a row. Rows come in ascending order. folder_mismatch if an earlier process had another text
    /// for the row.
    result<void> describe(std::uint64_t row, std::string_view text);

    /// Hashes values.size() / dimensions rows from row `first` on.
    result<void> write(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values);

    /// Writes the hash of a row that the caller computed.
    result<void> write_hash(std::uint64_t row, const digest& hash) { return rows_.write(row, hash); }

    /// Gives row `to` the hash that row `from` had when it was written.
    result<void> copy(std::uint64_t from, std::uint64_t to);

    /// The hashes that describe() wrote for those rows' texts, in that order. Returns nothing if one of them was never
    /// described.
    result<std::optional<std::vector<input_digests>>> texts(std::span<const std::uint64_t> rows);

    /// Makes the hashes of the rows durable, but not those of the texts. After a power cut, missing hashes of texts are
    /// made again when the texts are described again. So a flush waits for one file less.
    result<void> sync();

    /// Makes both files whole and durable for `rows` rows. If a row has no hash, because the folder was begun by a
    /// version that wrote none, it gets the hash of its values in `rows_file`, which must have every row.
    /// invalid_argument if a text was never described.
    result<void> finish(std::uint64_t rows, npy_file& rows_file);

private:
    result<bool> known(std::uint64_t row, std::span<const std::byte> record);

    record_file rows_;
    record_file texts_;
    bool finished_ = false;
    std::vector<digest> hashes_;    ///< Reused.
    std::vector<std::byte> known_;  ///< Records of texts by earlier processes, from row known_first_ on.
    std::uint64_t known_first_ = 0;
};

}  // namespace vembed::folder
