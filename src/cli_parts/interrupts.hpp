#pragma once
/// Ctrl-C and the other signals that ask a program to end. At the first signal the command begins to end; the second
/// signal ends the process at once with status 130, whatever it is doing.

#include <stop_token>
#include <thread>

namespace vembed::cli {

/// SIGINT, SIGTERM and (but under nohup) SIGHUP are counted while this lives. SIGPIPE is ignored, so that a reader that
/// went away is a failed write. A process has one, made at the start; the functions below use it.
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

/// A stop is requested at the first signal, and never if there is no interrupt_watch. It is for work that polls it.
std::stop_token interrupt_token();

/// Whether the first signal has come. It changes before the token does, because another thread stops the token.
bool interrupted() noexcept;

/// A descriptor that stays readable once the first signal has come. An event loop waits on it; never read from it.
int interrupt_fd() noexcept;

}  // namespace vembed::cli
