#pragma once
/// Ctrl-C, and what else asks a program to end: the first signal asks to come to an end, the second ends the process at
/// once with status 130, whatever it is doing.

#include <stop_token>
#include <thread>

#include "folder/spool.hpp"

namespace vembed::cli {

/// SIGINT, SIGTERM and (but under nohup) SIGHUP are counted while this lives; SIGPIPE is ignored, so that a reader that
/// went away is a failed write. One of a process, made at the start: its parts go by it.
class interrupt_watch {
public:
    /// Throws std::system_error if the system refuses.
    interrupt_watch();
    interrupt_watch(const interrupt_watch&) = delete;
    interrupt_watch& operator=(const interrupt_watch&) = delete;
    ~interrupt_watch();

private:
    std::thread thread_;
};

/// Stops at the first signal; never if there is no interrupt_watch. For work that asks now and then.
std::stop_token interrupt_token();

/// The same for reading standard input.
folder::input_stop input_interrupt();

/// Whether the first signal has come. Sooner than the token, which another thread stops.
bool interrupted() noexcept;

/// Readable, for good, once the first signal has come. For an event loop to wait on; never read from it.
int interrupt_fd() noexcept;

}  // namespace vembed::cli
