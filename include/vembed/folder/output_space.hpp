#pragma once
/// @file
/// The space that an output folder takes on disk.

#include <cstdint>
#include <optional>

namespace vembed {

/// The files that have a fixed size for each row: embeddings.npy, rows.sha256 and texts.sha256. Ids, receipts and the
/// journal come on top.
class output_space {
public:
    std::uint64_t whole = 0;                ///< Bytes of the finished files.
    std::uint64_t left = 0;                 ///< The bytes of `whole` that are not on disk yet, including holes.
    std::optional<std::uint64_t> free;      ///< Bytes that can be written; empty if the file system does not tell.
    std::uint64_t largest_file = 0;         ///< Bytes of embeddings.npy when it is whole; 0 for a finished result.
    std::optional<std::uint64_t> file_max;  ///< The most bytes that this process may write into one file (`ulimit -f`).

    output_space() = default;
};

/// The bytes that are certainly lacking; 0 if the rest fits or may fit, or if the free space is not known.
std::uint64_t bytes_lacking(const output_space& seen) noexcept;

/// Whether a file of the result would exceed the size that this process may write into one file.
bool file_too_large(const output_space& seen) noexcept;

}  // namespace vembed
