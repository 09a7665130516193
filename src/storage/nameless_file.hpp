#pragma once
/// A temporary file that goes away with the object, on disk or in memory.

#include <cstddef>
#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::storage {

/// Anonymous memory, zeros at first.
class anonymous_memory {
public:
    anonymous_memory() = default;
    anonymous_memory(anonymous_memory&& other) noexcept;
    anonymous_memory& operator=(anonymous_memory&& other) noexcept;
    ~anonymous_memory();

    /// False, with errno, where there is no such memory.
    [[nodiscard]] bool resize(std::size_t size) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::byte* data() const noexcept { return begin_; }

private:
    std::byte* begin_ = nullptr;
    std::size_t size_ = 0;
};

/// Where the limit on file sizes (ulimit -f) leaves no room for what is to be written, the file goes on in memory, of
/// which it takes 1 GiB at most.
class nameless_file {
public:
    nameless_file() = default;

    /// `ops` outlives the file. A folder that is empty stands for memory; `called` is what failures name then.
    static result<nameless_file> create(storage::file_ops& ops, const std::string& folder, const std::string& called);

    /// Holes read as zeros. Sizes never go down.
    result<void> extend(std::uint64_t size);

    result<void> write(const void* from, std::size_t size, std::uint64_t offset);

    /// Up to `size` bytes; fewer only at the end of the file.
    result<std::size_t> read(void* into, std::size_t size, std::uint64_t offset) const;

    /// Where the file is, for messages.
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

private:
    [[nodiscard]] bool in_memory() const noexcept { return !fd_; }
    result<void> make_room(std::uint64_t end);
    result<void> move_to_memory(std::uint64_t end);
    result<void> take_memory(std::uint64_t end);

    storage::file_ops* ops_ = nullptr;
    storage::unique_fd fd_;
    anonymous_memory memory_;
    std::uint64_t size_ = 0;  ///< Also of the file on disk.
    std::string place_;
};

}  // namespace vembed::storage
