#pragma once
/// Reads a matrix of somebody else's: an .npy file of float32 rows, a piece at a time.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/core/matrix.hpp>
#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::folder {

/// What the header of an .npy file says.
class npy_layout {
public:
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;
    std::uint64_t data_offset = 0;  ///< Where the rows begin, in bytes.

    npy_layout() = default;
};

/// The most bytes that a header may take, and how many of a file are to be given to read_npy_layout.
inline constexpr std::size_t npy_header_bytes_max = 65'536;

/// Reads a header of version 1 to 3: a two-dimensional array of little-endian float32 in C order and nothing else.
/// Pure. bad_input, naming what it is instead and what to do, for any other.
result<npy_layout> read_npy_layout(std::string_view beginning);

class npy_input {
public:
    /// io where the file cannot be read; bad_input where it is no such matrix, or has another size than its header
    /// says.
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
