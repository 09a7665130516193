#pragma once
/// A lock that keeps other processes away for as long as it lives.

#include <chrono>
#include <stop_token>
#include <string>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::storage {

class file_lock {
public:
    /// How long to wait for a lock whose holders read and write a small file: far more than they need.
    static constexpr std::chrono::seconds usual_wait{5};

    file_lock() = default;

    /// Locks the file at `path`. The file is created if it does not exist, and it is never removed (if it were, two
    /// processes could lock two files of one name). folder_mismatch if another holder has it; in the message `what`
    /// names what is in use.
    static result<file_lock> acquire(const std::string& path, const std::string& what);

    /// Waits while somebody else has the lock that acquire() takes: io if that lasts `at_most` (a stopped process holds
    /// a lock for ever), cancelled if `stop` is requested meanwhile. A free lock is taken at once, even if `stop` is
    /// requested. Blocks the thread, so that it is for quick holders only.
    static result<file_lock> await(const std::string& path, std::chrono::milliseconds at_most,
                                   const std::stop_token& stop = {});

    /// True if somebody holds the lock now, this process included. Takes no lock and creates no file; also false if it
    /// cannot be told.
    static bool held(const std::string& path) noexcept;

    /// The descriptor of the locked file, in which the holder may store a few bytes.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    explicit file_lock(unique_fd fd) : fd_(std::move(fd)) {}
    unique_fd fd_;
};

}  // namespace vembed::storage
