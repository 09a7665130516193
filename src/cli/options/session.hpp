#pragma once
/// A command's connection with the service: the event loop, the client, and Ctrl-C.

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <vembed/client/client.hpp>

#include "cli/options/command_line.hpp"
#include "cli/terminal/console.hpp"

namespace vembed::cli {

/// Sees a log record first. It returns true if it has handled the record and the console need not show it.
using log_watch = std::function<bool(const log_record&)>;

/// The folder in which this user's programs keep state, from the values of XDG_STATE_HOME and HOME: an absolute path,
/// or empty if neither is absolute. Pure.
std::string state_folder(const char* xdg_state_home, const char* home);

/// The file in which this user's programs keep pins. Empty if there is no such folder.
std::string usual_pins_file();

/// The machine's environment, with log records on the console. A watch is given warnings and errors at every `level`.
/// `out` must outlive the environment.
std::shared_ptr<environment> make_console_environment(console& out, log_level level, log_watch watch = {});

/// Whether there is a key to try: a file was named or the variable is set.
bool has_key(const service_access& access);

/// How a command wants its client to be.
class session_options {
public:
    std::uint32_t connections_max = 0;  ///< If this is 0, the client's default is used.
    std::string quota_folder;           ///< If this is empty, the account's use is kept to this process.
    std::string pins_file;              ///< If this is empty, what receipts show is kept to this process.
    bool without_key = false;           ///< No key is read or sent: the requests are open to anybody.

    session_options() = default;
};

/// The places in which a command that buys keeps what it learns about the account: those given, or the usual ones if
/// they are empty. The usual pins file is not used for a service over plain http, because that is a local service,
/// which may issue whatever it was told to.
session_options keeping_account(const service_access& access, bool share_quota, const std::string& quota_folder,
                                const std::string& pins_file);

class session {
public:
    /// Reads the key (if that fails, the status is exit_code::unauthorized) and makes the client. It sends nothing.
    static command_result<std::unique_ptr<session>> open(const service_access& access, std::shared_ptr<environment> env,
                                                         const session_options& wanted = {});

    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    [[nodiscard]] vembed::client& client() noexcept { return *client_; }

    /// A stop is requested at the first Ctrl-C.
    [[nodiscard]] std::stop_token stop() const noexcept { return stop_.get_token(); }

    /// Options with which the first Ctrl-C cancels a call.
    [[nodiscard]] call_options cancellable() const;

    /// Runs the loop until the operation has completed. Exceptions that come out of it are rethrown.
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation) {
        std::optional<result<T>> outcome;
        std::exception_ptr thrown;
        asio::co_spawn(loop_, std::move(operation), [this, &outcome, &thrown](std::exception_ptr error, result<T> r) {
            thrown = error;
            outcome.emplace(std::move(r));
            loop_.stop();
        });
        loop_.restart();
        loop_.run();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        return std::move(*outcome);
    }

private:
    session();
    void watch_interrupts();

    asio::io_context loop_{1};
    asio::posix::stream_descriptor interrupts_;
    std::stop_source stop_;
    std::optional<vembed::client> client_;
};

}  // namespace vembed::cli
