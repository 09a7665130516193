#include "cli_parts/interrupts.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "cli_parts/exit_code.hpp"

namespace vembed::cli {
namespace {

volatile std::sig_atomic_t signals_seen = 0;
int wake_read = -1;
int wake_write = -1;
int quit_event = -1;  // It is written to when the watch ends.

std::stop_source& stop_at_signal() {
    static std::stop_source source;
    return source;
}

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

void handle_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    // SA_RESTART is not set, because reading standard input is to end.
    action.sa_flags = 0;
    sigemptyset(&action.sa_mask);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    struct sigaction before {};
    // A lost terminal ends a run as SIGTERM does. nohup makes the process ignore SIGHUP, and that is left so.
    if (::sigaction(SIGHUP, nullptr, &before) != 0 ||
        (before.sa_handler != SIG_IGN && ::sigaction(SIGHUP, &action, nullptr) != 0)) {
        refuse("cannot handle signals");
    }
    if (::sigaction(SIGINT, &action, nullptr) != 0 || ::sigaction(SIGTERM, &action, nullptr) != 0 ||
        ::sigaction(SIGPIPE, &ignore, nullptr) != 0 ||
        // A file over the size limit is then a failed write, which is reported, and does not end the process.
        ::sigaction(SIGXFSZ, &ignore, nullptr) != 0) {
        refuse("cannot handle signals");
    }
}

void open_descriptors() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        refuse("cannot make a pipe");
    }
    wake_read = ends[0];
    wake_write = ends[1];
    quit_event = ::eventfd(0, EFD_CLOEXEC);
    if (quit_event < 0) {
        refuse("cannot make an event");
    }
}

/// A handler may do very little, so another thread stops the holders of the token.
void await_signal() {
    std::array<pollfd, 2> ends = {pollfd{wake_read, POLLIN, 0}, pollfd{quit_event, POLLIN, 0}};
    while (::poll(ends.data(), ends.size(), -1) < 0 && errno == EINTR) {
    }
    if (ends[0].revents != 0) {
        stop_at_signal().request_stop();
    }
}

/// Signals must go to the threads that exist already, because their blocking calls are to end.
std::thread thread_without_signals() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    std::thread made(await_signal);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return made;
}

}  // namespace

interrupt_watch::interrupt_watch() {
    open_descriptors();
    handle_signals();
    thread_ = thread_without_signals();
}

interrupt_watch::~interrupt_watch() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(quit_event, &one, sizeof(one));
    thread_.join();
}

std::stop_token interrupt_token() {
    return stop_at_signal().get_token();
}

bool interrupted() noexcept {
    return signals_seen != 0;
}

int interrupt_fd() noexcept {
    return wake_read;
}

}  // namespace vembed::cli
