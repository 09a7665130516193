#pragma once
/// The file that an output option names. It appears under its name only when it is whole and on the disk. A target that
/// is no regular file, such as a device or a pipe, is written directly.

#include <cstddef>
#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::storage {

class replaced_file {
public:
    /// Begins `path`.partial and discards what it held. A symbolic link is followed: its target is replaced or created,
    /// and the link stays. An existing target that is no regular file is opened for writing (a pipe waits for its
    /// reader); so is an open descriptor named by /dev/stdout, /dev/fd/N or /proc/self/fd/N. Errors of this class are
    /// io.
    static result<replaced_file> create(const std::string& path);

    replaced_file(replaced_file&&) = default;
    replaced_file& operator=(replaced_file&&) = default;
    /// If finish() was not reached, `path`.partial is removed and `path` is unchanged.
    ~replaced_file();

    /// True if bytes are gone once they are written: then only append() works.
    [[nodiscard]] bool is_stream() const noexcept { return stream_; }

    /// Writes at any offset. Bytes before the end that were not written are zero.
    result<void> write_at(std::uint64_t offset, const void* from, std::size_t size);

    /// Writes at the end of what append() wrote before.
    result<void> append(const void* from, std::size_t size);

    /// Durably gives the file its name.
    result<void> finish();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    explicit replaced_file(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {}

    std::string path_;  ///< The target after links are followed.
    std::string partial_;
    storage::unique_fd fd_;
    std::uint64_t end_ = 0;
    bool stream_ = false;
};

}  // namespace vembed::storage
