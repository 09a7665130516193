#pragma once
/// Keeps other processes away for as long as it lives.

#include <chrono>
#include <stop_token>
#include <string>

#include <vembed/core/result.hpp>

#include "storage/file_ops.hpp"

namespace vembed::storage {

class file_lock {
public:
    /// How long a lock is awaited whose holders read and write a small file: far more than they need.
    static constexpr std::chrono::seconds usual_wait{5};

    file_lock() = default;

    /// Locks the file at `path`, which is created where it does not exist and never removed (removing it would let two
    /// processes lock two files of one name). folder_mismatch where another holder has it; `what` names in the message
    /// what is in use.
    static result<file_lock> acquire(const std::string& path, const std::string& what);

    /// As acquire, but waits while somebody else has it: io where that lasts `at_most` (a stopped process holds a lock
    /// for ever), cancelled where `stop` is asked meanwhile. A lock that is free is taken at once, whatever `stop`
    /// says. Blocks the thread: for holders that are quick.
    static result<file_lock> await(const std::string& path, std::chrono::milliseconds at_most,
                                   const std::stop_token& stop = {});

    /// Whether somebody holds the lock now, this process included. Takes no lock and creates no file; false also where
    /// it cannot be told.
    static bool held(const std::string& path) noexcept;

    /// Of the locked file, for a few bytes of the holder's own.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    explicit file_lock(unique_fd fd) : fd_(std::move(fd)) {}
    unique_fd fd_;
};

}  // namespace vembed::storage
