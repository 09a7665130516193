#pragma once
/// Where the content of an output option goes: a file that appears under its name only when it is whole and on the
/// disk; what is no regular file, a device or a pipe, is written into as it is.

#include <cstddef>
#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::storage {

class replaced_file {
public:
    /// Begins `path`.partial; what that held is gone. A symbolic link is followed: what it names is replaced, or made,
    /// and the link stays. What is there and no regular file is opened to be written into (a pipe waits for its
    /// reader); so is an open descriptor named by /dev/stdout, /dev/fd/N or /proc/self/fd/N. Failures here and below
    /// are io.
    static result<replaced_file> create(const std::string& path);

    replaced_file(replaced_file&&) = default;
    replaced_file& operator=(replaced_file&&) = default;
    /// Where finish() was not reached, `path`.partial is removed and `path` is as it was.
    ~replaced_file();

    /// Whether bytes are gone as they are written: then only append() works.
    [[nodiscard]] bool is_stream() const noexcept { return stream_; }

    /// Anywhere: bytes not written before the end are zero.
    result<void> write_at(std::uint64_t offset, const void* from, std::size_t size);

    /// At the end of what append() wrote before.
    result<void> append(const void* from, std::size_t size);

    /// Durably gives the file its name.
    result<void> finish();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    explicit replaced_file(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {}

    std::string path_;  ///< Links followed.
    std::string partial_;
    storage::unique_fd fd_;
    std::uint64_t end_ = 0;
    bool stream_ = false;
};

}  // namespace vembed::storage
