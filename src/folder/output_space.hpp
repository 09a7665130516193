#pragma once
/// What an output folder takes on disk, and whether there is room for it.

#include <cstdint>
#include <optional>
#include <string>

#include <vembed/core/result.hpp>

#include "folder/records/npy_file.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

/// Bytes of embeddings.npy, rows.sha256 and texts.sha256 of that shape; the largest number where they are more. Ids,
/// receipts and the journal come on top.
std::uint64_t output_bytes(const npy_shape& shape) noexcept;

class output_space {
public:
    std::uint64_t whole = 0;                ///< output_bytes().
    std::uint64_t left = 0;                 ///< Of those, bytes that are not on disk yet; holes in a file are not.
    std::optional<std::uint64_t> free;      ///< Bytes that can be written; empty where the file system does not tell.
    std::uint64_t largest_file = 0;         ///< Bytes of embeddings.npy when it is whole; 0 for a finished result.
    std::optional<std::uint64_t> file_max;  ///< The most that this process may write into one file (`ulimit -f`).

    output_space() = default;
};

/// Bytes that certainly lack; 0 where what is left fits, may fit or cannot be told.
std::uint64_t bytes_lacking(const output_space& seen) noexcept;

/// Whether a file of the result would be larger than this process may make one.
bool file_too_large(const output_space& seen) noexcept;

/// Whether the result certainly cannot be written: bytes_lacking(), or file_too_large().
bool lacks_space(const output_space& seen) noexcept;

/// Looks at a folder that may not be there yet. Of a finished result nothing is left to write. io where a file of it
/// cannot be looked at.
result<output_space> look_at_space(storage::file_ops& ops, const std::string& folder, const npy_shape& shape);

/// What to say if lacks_space(): an io failure with what is needed, what can be had and what to do.
failure no_space(const output_space& seen, const std::string& folder, const npy_shape& shape);

}  // namespace vembed::folder
