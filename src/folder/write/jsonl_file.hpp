#pragma once
/// A file that lines are appended to, which a crash at any moment leaves repairable: what follows the last good line is
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
    /// Judges a line already in the file. False: this line and all after it are cut off.
    using judge = std::function<bool(std::string_view line, std::uint64_t number)>;

    /// Lines are gathered up to buffer_bytes before they are written; 0 writes each at once.
    jsonl_file(storage::file_ops& ops, std::string path, std::size_t buffer_bytes)
        : ops_(&ops), path_(std::move(path)), buffer_bytes_(buffer_bytes) {}

    /// Opens or creates the file and shows every complete line in it to `keep`, in order, numbered from 0. Lines from
    /// the first that has a zero byte on are cut off unseen: a power cut made them.
    result<void> open(const judge& keep);

    /// Appends one line, given without its line feed. After a failure the line is kept and written by a later call.
    result<void> append(std::string_view line);

    /// Hands gathered lines to the operating system.
    result<void> write_out();

    /// write_out, then makes everything appended so far durable.
    result<void> sync();

    /// Replaces the file by the lines that `keep` accepts, durably and all at once.
    result<void> retain(const judge& keep);

    /// Removes the file where it has no lines, else makes it durable. It must be opened again before it is used.
    result<void> close();

    /// Calls `see` for every line, after write_out. Stops where it returns false.
    result<void> each(const judge& see);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    storage::file_ops* ops_;
    std::string path_;
    std::size_t buffer_bytes_;
    storage::unique_fd fd_;
    std::string pending_;
    std::uint64_t size_ = 0;  ///< Bytes in the file.
    bool dirty_ = false;
};

}  // namespace vembed::folder
