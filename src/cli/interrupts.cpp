#include "cli/interrupts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

#include "cli/exit_code.hpp"

namespace vembed::cli {
namespace {

volatile std::sig_atomic_t signals_seen = 0;
int wake_read = -1;
int wake_write = -1;

extern "C" void on_signal(int) {
    if (signals_seen != 0) {
        static constexpr std::string_view message = "\nvembed: ended at once\n";
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message.size());
        ::_exit(static_cast<int>(exit_code::interrupted));
    }
    signals_seen = 1;
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(wake_write, "x", 1);
    errno = error;
}

[[noreturn]] void refuse(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void install_interrupts() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        refuse("cannot make a pipe");
    }
    wake_read = ends[0];
    wake_write = ends[1];
    struct sigaction action {};
    action.sa_handler = on_signal;
    // Without SA_RESTART: reading standard input is to end.
    action.sa_flags = 0;
    sigemptyset(&action.sa_mask);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    struct sigaction before {};
    // A lost terminal ends a run as SIGTERM does; nohup, which has it ignored, is left its way.
    if (::sigaction(SIGHUP, nullptr, &before) != 0 ||
        (before.sa_handler != SIG_IGN && ::sigaction(SIGHUP, &action, nullptr) != 0)) {
        refuse("cannot handle signals");
    }
    if (::sigaction(SIGINT, &action, nullptr) != 0 || ::sigaction(SIGTERM, &action, nullptr) != 0 ||
        ::sigaction(SIGPIPE, &ignore, nullptr) != 0 ||
        // A file over the limit of sizes is then a failed write, which is reported, and not the end of the process.
        ::sigaction(SIGXFSZ, &ignore, nullptr) != 0) {
        refuse("cannot handle signals");
    }
}

bool interrupted() noexcept {
    return signals_seen != 0;
}

int interrupt_fd() noexcept {
    return wake_read;
}

}  // namespace vembed::cli
