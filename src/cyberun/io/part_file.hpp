#pragma once
/// A file that is written as NAME.part and gets its name when it is whole and on the disk. Its calls block.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <vembed/core/result.hpp>

#include "cyberun/download/integrity.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cyberun {

class part_file {
public:
    /// Begins `stem`.part in `folder` and discards what it held. io if it is a symbolic link or no regular file.
    static result<part_file> create(std::string folder, const std::string& stem);

    /// Cuts the file to its first `size` bytes.
    result<void> cut(std::uint64_t size);
    result<void> append(std::span<const std::byte> bytes);

    /// Whether the content agrees with `expected`. io if it cannot be read.
    result<integrity> check(const expected_digest& expected);

    /// Durably gives the file its name in the same folder, in the place of one that has it, and returns its path. A
    /// symbolic link of that name is replaced and not followed.
    result<std::string> finish(const std::string& name);

    /// Removes the file, because nothing of it can be used.
    void discard() noexcept;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
    part_file(storage::unique_fd fd, std::string folder, std::string path)
        : fd_(std::move(fd)), folder_(std::move(folder)), path_(std::move(path)) {}

    storage::unique_fd fd_;
    std::string folder_;
    std::string path_;
    std::uint64_t size_ = 0;
};

}  // namespace vembed::cyberun
