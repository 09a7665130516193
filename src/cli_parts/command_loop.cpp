#include "cli_parts/command_loop.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cli_parts/interrupts.hpp"

namespace vembed::cli {

command_loop::command_loop() : interrupts_(loop_) {
    const int own = ::dup(interrupt_fd());
    if (own < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot watch for signals");
    }
    interrupts_.assign(own);
    interrupts_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
        if (!error) {
            stop_.request_stop();
        }
    });
}

command_loop::~command_loop() {
    interrupts_.close();
    // A client needs the loop to end its work.
    run_until_end();
}

void command_loop::run_until_end() {
    loop_.restart();
    loop_.run();
}

call_options command_loop::cancellable() const {
    call_options options;
    options.stop = stop();
    return options;
}

}  // namespace vembed::cli
