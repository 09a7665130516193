#pragma once
/// A command's connection with the service: the event loop, the client, and Ctrl-C.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include <vembed/client/client.hpp>

#include "cli/options/command_line.hpp"
#include "cli_parts/command_loop.hpp"
#include "cli_parts/console.hpp"
#include "cli_parts/console_environment.hpp"

namespace vembed::cli {

/// The file in which this user's programs keep pins. Empty if there is no such folder.
std::string usual_pins_file();

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
    ~session() = default;

    [[nodiscard]] vembed::client& client() noexcept { return *client_; }

    /// A stop is requested at the first Ctrl-C.
    [[nodiscard]] std::stop_token stop() const noexcept { return loop_.stop(); }

    /// Options with which the first Ctrl-C cancels a call.
    [[nodiscard]] call_options cancellable() const { return loop_.cancellable(); }

    /// See command_loop::run().
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation) {
        return loop_.run(std::move(operation));
    }

private:
    session() = default;

    command_loop loop_;
    std::optional<vembed::client> client_;
};

}  // namespace vembed::cli
