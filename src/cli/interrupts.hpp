#pragma once
/// Ctrl-C, and what else asks a program to end: the first signal asks to come to an end, the second ends the process at
/// once with status 130, whatever it is doing.

namespace vembed::cli {

/// SIGINT, SIGTERM and (but under nohup) SIGHUP are counted from here on; SIGPIPE is ignored, so that a reader that
/// went away is a failed write. Call once, at the start. Throws std::system_error where the system refuses.
void install_interrupts();

/// Whether the first signal has come.
bool interrupted() noexcept;

/// Readable, for good, once the first signal has come. For an event loop to wait on; never read from it.
int interrupt_fd() noexcept;

}  // namespace vembed::cli
