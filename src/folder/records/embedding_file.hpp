#pragma once
/// Reads embeddings.npy, or what there is of it while a run is unfinished.

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
    /// Opens `folder`/embeddings.npy, or else embeddings.npy.partial. io where neither can be opened;
    /// verification_failed where the header or the size is not what vembed writes.
    static result<embedding_file> open(const std::string& folder);

    /// The same for a file that may be damaged: what is wrong with it is objection(), and every row that is there can
    /// be read. `recorded` is the shape that a finished run noted, if there was one: then embeddings.npy alone will do,
    /// and where it is missing or its header says nothing that fits its size, that shape counts. io as for open().
    static result<embedding_file> open_to_check(const std::string& folder,
                                                const std::optional<folder::npy_shape>& recorded);

    /// What is wrong with the header or the size; empty where nothing is.
    [[nodiscard]] const std::string& objection() const noexcept { return objection_; }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// As the header says; of an unfinished file, the rows that there is room for so far.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    /// How many of them the file has all bytes of.
    [[nodiscard]] std::uint64_t rows_there() const noexcept { return rows_there_; }
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }

    /// How many rows are best read at once; at least 1.
    [[nodiscard]] std::uint64_t rows_a_block() const noexcept;

    /// The values of rows [first, end), which `into` holds. verification_failed where the file does not have them.
    result<std::span<const float>> read_block(std::uint64_t first, std::uint64_t end, std::vector<float>& into);

    /// Calls `see` with the values of rows [first, end), a whole number of rows at a time. verification_failed where
    /// the file does not have them.
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
