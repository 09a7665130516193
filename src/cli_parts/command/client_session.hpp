#pragma once
/// A command's connection with a service: the event loop, the client, and Ctrl-C.

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/result.hpp>
#include <vembed/core/secret.hpp>
#include <vembed/operation/call_options.hpp>

#include "cli_parts/command_context.hpp"
#include "cli_parts/command_loop.hpp"
#include "cli_parts/console_environment.hpp"
#include "cli_parts/exit_code.hpp"
#include "cli_parts/load_key.hpp"

namespace vembed::cli {

/// `Client` is a service's client for programs with an event loop. A service derives its session from this.
template <class Client>
class client_session {
public:
    [[nodiscard]] Client& client() noexcept { return *client_; }
    [[nodiscard]] command_loop& loop() noexcept { return loop_; }
    [[nodiscard]] const secret& key() const noexcept { return *key_; }

    /// Options with which the first Ctrl-C cancels a call.
    [[nodiscard]] call_options cancellable() const { return loop_.cancellable(); }

    /// See command_loop::run().
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation) {
        return loop_.run(std::move(operation));
    }

protected:
    client_session() = default;

    /// Reads the key (if that fails, the status is exit_code::unauthorized), has the console mask it, and makes the
    /// client, from `options` and what every command has. Keys have no form that is documented. It sends nothing.
    template <class Session, class Options>
    static command_result<std::unique_ptr<Session>> open_with(const command_context& context, const char* key_variable,
                                                              std::string_view local_service, Options options) {
        auto key = load_key(context.access, key_variable, "", local_service);
        if (!key) {
            return command_failure(key.error(), exit_code::unauthorized);
        }
        context.out.hide(*key);
        options.base_url = context.access.base_url;
        options.api_key = *key;
        options.ca_file = context.access.ca_file;
        options.env = make_console_environment(context.out, context.output.level);
        std::unique_ptr<Session> made(new Session());
        made->key_ = std::move(*key);
        result<Client> client = Client::make(made->loop_.get_executor(), std::move(options));
        if (!client) {
            return command_failure(client.error());
        }
        made->client_.emplace(std::move(*client));
        return made;
    }

private:
    command_loop loop_;
    std::shared_ptr<const secret> key_;
    std::optional<Client> client_;
};

}  // namespace vembed::cli
