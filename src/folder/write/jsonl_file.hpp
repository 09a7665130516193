#pragma once
/// A file that lines are appended to. A crash at any moment leaves it repairable: bytes behind the last good line are
/// cut off when the file is opened again.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::folder {

class jsonl_file {
public:
    /// Judges a line already in the file. If it returns false, open() cuts off this line and all after it.
    using judge = std::function<bool(std::string_view line, std::uint64_t number)>;

    /// Lines are gathered up to buffer_bytes before they are written; with 0, each line is written at once.
    jsonl_file(storage::file_ops& ops, std::string path, std::size_t buffer_bytes)
        : ops_(&ops), path_(std::move(path)), buffer_bytes_(buffer_bytes) {}

    /// Opens or creates the file and shows every complete line in it to `keep`, in order, numbered from 0. If a line
    /// has a zero byte, a power cut made it: that line and all after it are cut off without being shown.
    result<void> open(const judge& keep);

    /// Appends one line, given without its line feed. After an error the line is kept, and a later call writes it.
    result<void> append(std::string_view line);

    /// Passes gathered lines to the operating system.
    result<void> write_out();

    /// Calls write_out, then makes everything appended so far durable.
    result<void> sync();

    /// Replaces the file by the lines that `keep` accepts, durably and atomically.
    result<void> retain(const judge& keep);

    /// Removes the file if it has no lines, else makes it durable. It must be opened again before it is used.
    result<void> close();

    /// Calls write_out, then `see` for every line. Stops if `see` returns false.
    result<void> each(const judge& see);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    storage::file_ops* ops_;
    std::string path_;
    std::size_t buffer_bytes_;
    storage::unique_fd fd_;
    std::string pending_;
    std::uint64_t size_ = 0;  ///< The number of bytes in the file.
    bool dirty_ = false;
};

}  // namespace vembed::folder
