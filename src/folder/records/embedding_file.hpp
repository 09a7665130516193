#pragma once
/// Reads embeddings.npy, or embeddings.npy.partial while a run is unfinished.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>

#include "folder/records/npy_file.hpp"
#include "storage/file_ops.hpp"

namespace vembed::folder {

class embedding_file {
public:
    /// Opens `folder`/embeddings.npy, or else embeddings.npy.partial. io if neither can be opened; verification_failed
    /// if vembed does not write such a header or size.
    static result<embedding_file> open(const std::string& folder);

    /// Like open(), for a file that may be damaged: objection() tells what is wrong with it, and every row that it has
    /// can be read. `recorded` is the shape that a finished run noted. If it is given, only embeddings.npy is opened;
    /// if that is missing, or if its header has no shape that fits its size, the recorded shape counts. io as for
    /// open().
    static result<embedding_file> open_to_check(const std::string& folder,
                                                const std::optional<folder::npy_shape>& recorded);

    /// What is wrong with the header or the size; empty if nothing is.
    [[nodiscard]] const std::string& objection() const noexcept { return objection_; }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// The number of rows in the header; for an unfinished file, the number of rows that it has space for so far.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    /// How many of rows() are whole in the file.
    [[nodiscard]] std::uint64_t rows_there() const noexcept { return rows_there_; }
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }

    /// The best number of rows to read at once; at least 1.
    [[nodiscard]] std::uint64_t rows_a_block() const noexcept;

    /// Reads the rows [first, end) into `into` and returns their values. verification_failed if the file does not have
    /// them.
    result<std::span<const float>> read_block(std::uint64_t first, std::uint64_t end, std::vector<float>& into);

    /// Calls `see` with the values of rows [first, end), a whole number of rows at a time. verification_failed if the
    /// file does not have them.
    result<void> read_rows(std::uint64_t first, std::uint64_t end,
                           const std::function<result<void>(std::span<const float>)>& see);

private:
    embedding_file() = default;
    result<void> open_path();
    result<void> read_shape(const std::optional<folder::npy_shape>& recorded);

    storage::unique_fd fd_;
    std::string path_;
    std::string objection_;
    bool complete_ = false;
    std::uint64_t rows_ = 0;
    std::uint64_t rows_there_ = 0;
    std::uint64_t dimensions_ = 0;
    std::vector<float> block_;
};

/// The SHA-256 of a file in hex, and its size.
class file_digest {
public:
    std::string sha256;
    std::uint64_t bytes = 0;

    file_digest() = default;
};

result<file_digest> digest_of_file(const std::string& path);

}  // namespace vembed::folder
