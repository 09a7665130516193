#pragma once
/// One command's dealings with the service: the event loop, the client, and Ctrl-C.

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

/// Sees a log record first; true where it has dealt with it and the console need not show it.
using log_watch = std::function<bool(const log_record&)>;

/// Where this user's programs keep state, from the values of XDG_STATE_HOME and HOME: an absolute path, or empty where
/// neither is one. Pure.
std::string state_folder(const char* xdg_state_home, const char* home);

/// Where this user's programs keep which schemes receipts follow. Empty where there is no such place.
std::string usual_pins_file();

/// The machine's environment, with log records on the console. A watch is given warnings and errors whatever `level`
/// is. `out` must outlive it.
std::shared_ptr<environment> make_console_environment(console& out, log_level level, log_watch watch = {});

/// Whether there is a key to try: a file was named or the variable is set.
bool has_key(const service_access& access);

/// How a command wants its client.
class session_options {
public:
    std::uint32_t connections_max = 0;  ///< 0: the client's default.
    std::string quota_folder;           ///< Empty: the account's use is kept to this process.
    std::string pins_file;              ///< Empty: what receipts show is kept to this process.
    bool without_key = false;           ///< For what the service answers to anybody: no key is read, none is sent.

    session_options() = default;
};

/// Where a command that buys keeps what it learns of the account: in the places given, else (empty) in the usual ones.
/// The usual pins' file is not for a service over plain http: that is a local one, which may issue whatever it was told
/// to.
session_options keeping_account(const service_access& access, bool share_quota, const std::string& quota_folder,
                                const std::string& pins_file);

class session {
public:
    /// Reads the key (failures of that are exit_code::unauthorized) and makes the client; sends nothing.
    static command_result<std::unique_ptr<session>> open(const service_access& access, std::shared_ptr<environment> env,
                                                         const session_options& wanted = {});

    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    [[nodiscard]] vembed::client& client() noexcept { return *client_; }

    /// Requested at the first Ctrl-C.
    [[nodiscard]] std::stop_token stop() const noexcept { return stop_.get_token(); }

    /// Options with which a call is cancelled at the first Ctrl-C.
    [[nodiscard]] call_options cancellable() const;

    /// Runs the loop until the operation has completed. Exceptions that come out of it are thrown on.
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
