#pragma once
/// Computes the space that an output folder takes on disk, and whether it is available.

#include <cstdint>
#include <optional>
#include <string>

#include <vembed/core/result.hpp>

#include "folder/records/npy_file.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

/// Bytes of embeddings.npy, rows.sha256 and texts.sha256 of that shape; the largest number if they are more. Ids,
/// receipts and the journal are not included.
std::uint64_t output_bytes(const npy_shape& shape) noexcept;

class output_space {
public:
    std::uint64_t whole = 0;                ///< The value of output_bytes().
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

/// Whether the result certainly cannot be written, because bytes_lacking() is not 0 or file_too_large() holds.
bool lacks_space(const output_space& seen) noexcept;

/// Examines a folder that may not exist yet. If its result is finished, nothing is left to write. io if a file of it
/// cannot be examined.
result<output_space> look_at_space(storage::file_ops& ops, const std::string& folder, const npy_shape& shape);

/// The error to return if lacks_space(): io, with the bytes needed, the bytes available and what to do.
error no_space(const output_space& seen, const std::string& folder, const npy_shape& shape);

}  // namespace vembed::folder
