#pragma once
/// The event loop of one command, which Ctrl-C ends.

#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <vembed/core/result.hpp>
#include <vembed/operation/call_options.hpp>

namespace vembed::cli {

namespace asio = boost::asio;

/// An event loop for a client and its operations. It must outlive the client: its destructor lets the client's work
/// end.
class command_loop {
public:
    /// Throws std::system_error if signals cannot be watched.
    command_loop();
    command_loop(const command_loop&) = delete;
    command_loop& operator=(const command_loop&) = delete;
    ~command_loop();

    [[nodiscard]] asio::any_io_executor get_executor() { return loop_.get_executor(); }

    /// A stop is requested at the first Ctrl-C.
    [[nodiscard]] std::stop_token stop() const noexcept { return stop_.get_token(); }

    /// Options with which the first Ctrl-C cancels a call.
    [[nodiscard]] call_options cancellable() const;

    /// Runs the loop until end() is called. Exceptions that come out of it are rethrown.
    void run_until_end();
    void end() { loop_.stop(); }

    /// Runs the loop until the operation has completed. Exceptions that come out of it are rethrown.
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation) {
        std::optional<result<T>> outcome;
        std::exception_ptr thrown;
        asio::co_spawn(loop_, std::move(operation), [this, &outcome, &thrown](std::exception_ptr error, result<T> r) {
            thrown = error;
            outcome.emplace(std::move(r));
            end();
        });
        run_until_end();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        return std::move(*outcome);
    }

private:
    asio::io_context loop_{1};
    asio::posix::stream_descriptor interrupts_;
    std::stop_source stop_;
};

}  // namespace vembed::cli
