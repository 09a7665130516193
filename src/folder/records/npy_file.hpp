#pragma once
/// Writes embeddings.npy, and reads what a run needs of it.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::folder {

class npy_shape {
public:
    std::uint64_t rows = 0;
    std::uint64_t dimensions = 0;

    npy_shape() = default;
    npy_shape(std::uint64_t row_count, std::uint64_t dimension_count) : rows(row_count), dimensions(dimension_count) {}
    friend bool operator==(const npy_shape&, const npy_shape&) = default;
};

/// The offset at which rows begin, for every shape.
inline constexpr std::size_t npy_header_bytes = 128;

/// The header of a version 1.0 .npy file of little-endian float32 in C order.
std::array<char, npy_header_bytes> npy_header(const npy_shape& shape);

/// The shape in a header. Returns nothing if npy_header does not write such a header.
std::optional<npy_shape> shape_of_npy_header(std::string_view header);

/// Calls are made in the order open, write_rows…, finish. A file that is completed() is only read.
class npy_file {
public:
    npy_file(storage::file_ops& ops, const std::string& folder);

    /// Opens the file of an earlier process if there is one; creates nothing.
    result<void> open();

    /// Writes values.size() / dimensions rows from row `first` on.
    result<void> write_rows(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values);

    /// Copies row `from` to row `to`, also if an earlier process wrote it. folder_mismatch if the file ends before the
    /// end of row `from`.
    result<void> copy_row(std::uint64_t from, std::uint64_t to);

    /// Whether the file, completed() or not, holds these values as rows from row `first` on.
    result<bool> holds(std::uint64_t first, std::uint64_t dimensions, std::span<const float> values);

    /// Whether rows `a` and `b` of the file have the same bytes.
    result<bool> same_rows(std::uint64_t a, std::uint64_t b);

    /// Reads the values of a row. Returns false if the file ends before the end of the row.
    result<bool> read_row(std::uint64_t row, std::vector<float>& values);

    /// Fixes the dimensions if no row did, and creates the file if it does not exist.
    result<void> settle_dimensions(std::uint64_t dimensions);

    result<void> sync();

    /// Writes the final header, cuts the file to its exact size and gives it its final name, durably.
    result<void> finish(std::uint64_t rows);

    /// The dimensions of the rows so far; 0 if not known yet.
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }

    /// The shape of the file, once it has its final name.
    [[nodiscard]] const std::optional<npy_shape>& completed() const noexcept { return completed_; }

    /// Whether rows of an earlier process are in the file.
    [[nodiscard]] bool continued() const noexcept { return continued_; }

    [[nodiscard]] const std::string& final_path() const noexcept { return final_path_; }
    [[nodiscard]] const std::string& partial_path() const noexcept { return partial_path_; }

private:
    result<void> open_completed(storage::unique_fd fd);
    result<void> open_partial(storage::unique_fd fd);
    [[nodiscard]] const std::string& path() const noexcept { return completed_ ? final_path_ : partial_path_; }

    storage::file_ops* ops_;
    std::string folder_;
    std::string final_path_;
    std::string partial_path_;
    storage::unique_fd fd_;
    std::uint64_t dimensions_ = 0;
    std::optional<npy_shape> completed_;
    bool continued_ = false;
    bool dirty_ = false;
    std::vector<float> row_;    ///< Reused.
    std::vector<float> other_;  ///< Reused.
};

}  // namespace vembed::folder
