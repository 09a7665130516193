#pragma once
/// A temporary file that goes away with the object, on disk or in memory.

#include <cstddef>
#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::storage {

/// Anonymous memory, zero at first.
class anonymous_memory {
public:
    anonymous_memory() = default;
    anonymous_memory(anonymous_memory&& other) noexcept;
    anonymous_memory& operator=(anonymous_memory&& other) noexcept;
    ~anonymous_memory();

    /// False, with errno set, if there is not enough memory.
    [[nodiscard]] bool resize(std::size_t size) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::byte* data() const noexcept { return begin_; }

private:
    std::byte* begin_ = nullptr;
    std::size_t size_ = 0;
};

/// A file without a name. If the limit on file sizes (ulimit -f) is too low for what is to be written, the file moves
/// to memory, of which it takes 1 GiB at most.
class nameless_file {
public:
    nameless_file() = default;

    /// `ops` must outlive the file. An empty folder means memory; error messages then name it `called`.
    static result<nameless_file> create(storage::file_ops& ops, const std::string& folder, const std::string& called);

    /// Holes read as zeros. The size never shrinks.
    result<void> extend(std::uint64_t size);

    result<void> write(const void* from, std::size_t size, std::uint64_t offset);

    /// Reads up to `size` bytes; fewer only at the end of the file.
    result<std::size_t> read(void* into, std::size_t size, std::uint64_t offset) const;

    /// The place of the file, for messages.
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

private:
    [[nodiscard]] bool in_memory() const noexcept { return !fd_; }
    result<void> make_room(std::uint64_t end);
    result<void> move_to_memory(std::uint64_t end);
    result<void> take_memory(std::uint64_t end);

    storage::file_ops* ops_ = nullptr;
    storage::unique_fd fd_;
    anonymous_memory memory_;
    std::uint64_t size_ = 0;  ///< The size, also if the file is on disk.
    std::string place_;
};

}  // namespace vembed::storage
