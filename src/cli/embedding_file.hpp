#pragma once
/// Reads embeddings.npy, or what there is of it while a run is unfinished.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::cli {

class embedding_file {
public:
    /// Opens `folder`/embeddings.npy, or else embeddings.npy.partial. io where neither can be opened;
    /// verification_failed where the header or the size is not what vembed writes.
    static result<embedding_file> open(const std::string& folder);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// As the header says; of an unfinished file, the rows that there is room for so far.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t dimensions() const noexcept { return dimensions_; }

    /// Calls `see` with the values of rows [first, end), a whole number of rows at a time.
    result<void> read_rows(std::uint64_t first, std::uint64_t end,
                           const std::function<result<void>(std::span<const float>)>& see);

private:
    embedding_file() = default;
    storage::unique_fd fd_;
    std::string path_;
    bool complete_ = false;
    std::uint64_t rows_ = 0;
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

}  // namespace vembed::cli
