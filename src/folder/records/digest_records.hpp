#pragma once
/// Reads rows.sha256 and texts.sha256, which have one record of a fixed size per row.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/schemes.hpp>
#include <vembed/verify/sha256.hpp>

#include "storage/file_ops.hpp"

namespace vembed::folder {

/// Bytes per row in rows.sha256: the SHA-256 of the row's bytes in embeddings.npy.
inline constexpr std::size_t row_digest_bytes = 32;
/// Bytes per row in texts.sha256: SHA-256(text), then SHA-256(0x00 ‖ text).
inline constexpr std::size_t text_digests_bytes = 64;

class digest_records {
public:
    /// Opens the file at `path`. Returns nothing if there is none; io or bad_input if it cannot be read.
    static result<std::optional<digest_records>> open(const std::string& path, std::size_t record_bytes);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    /// The number of whole records.
    [[nodiscard]] std::uint64_t count() const noexcept { return bytes_ / record_bytes_; }

    /// Reads the records [first, first + count), or as many of them as there are. They are valid until the next call.
    /// Keep `count` small, because that many records are in memory.
    result<std::span<const std::byte>> read(std::uint64_t first, std::uint64_t count);

private:
    digest_records() = default;
    storage::unique_fd fd_;
    std::string path_;
    std::size_t record_bytes_ = 0;
    std::uint64_t bytes_ = 0;
    std::vector<std::byte> block_;
};

/// The digest at the start of `from`, which must be long enough.
digest digest_at(std::span<const std::byte> from);

/// The RFC 6962 root over rows [0, rows): leaf i's data is SHA-256(text i) ‖ SHA-256(row i). verification_failed if a
/// file has fewer rows; cancelled if `stop` was requested.
result<digest> row_root_of(digest_records& texts, digest_records& rows_digests, std::uint64_t rows,
                           const std::stop_token& stop);

}  // namespace vembed::folder
