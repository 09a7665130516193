#pragma once
/// Computes the space that an output folder takes on disk, and whether it is available.

#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/folder/output_space.hpp>

#include "folder/records/npy_file.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

/// Bytes of embeddings.npy, rows.sha256 and texts.sha256 of that shape; the largest number if they are more. Ids,
/// receipts and the journal are not included.
std::uint64_t output_bytes(const npy_shape& shape) noexcept;

/// Whether the result certainly cannot be written, because bytes_lacking() is not 0 or file_too_large() holds.
bool lacks_space(const output_space& seen) noexcept;

/// Examines a folder that may not exist yet. If its result is finished, nothing is left to write. io if a file of it
/// cannot be examined.
result<output_space> look_at_space(storage::file_ops& ops, const std::string& folder, const npy_shape& shape);

/// The error to return if lacks_space(): io, with the bytes needed, the bytes available and what to do.
error no_space(const output_space& seen, const std::string& folder, const npy_shape& shape);

}  // namespace vembed::folder
