#pragma once
/// Reads an .npy file of float32 rows that another program wrote, a piece at a time.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::folder {

/// The content of an .npy file's header.
class npy_layout {
public:
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;
    std::uint64_t data_offset = 0;  ///< The offset at which the rows begin, in bytes.

    npy_layout() = default;
};

/// The most bytes that a header may take. read_npy_layout needs that many of a file's first bytes.
inline constexpr std::size_t npy_header_bytes_max = 65'536;

/// Reads a header of version 1 to 3 of a two-dimensional array of little-endian float32 in C order. Any other header is
/// bad_input; the message names what the array is instead and what to do. Pure.
result<npy_layout> read_npy_layout(std::string_view beginning);

class npy_input {
public:
    /// io if the file cannot be read; bad_input if it is no such matrix, or if its size does not fit its header.
    static result<npy_input> open(const std::string& path);

    [[nodiscard]] const npy_layout& layout() const noexcept { return layout_; }

    /// Reads rows [first, first + into.rows()).
    result<void> read(std::uint64_t first, matrix& into) const;

private:
    npy_input() = default;
    std::string path_;
    storage::unique_fd fd_;
    npy_layout layout_;
};

}  // namespace vembed::folder
