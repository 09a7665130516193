#pragma once
/// A command's connection with AITBC: the event loop, the client, and Ctrl-C.

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include <vembed/aitbc/client.hpp>

#include "cli_aitbc/arguments.hpp"
#include "cli_parts/command_context.hpp"
#include "cli_parts/command_loop.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

class aitbc_session {
public:
    /// Reads the key (if that fails, the status is exit_code::unauthorized), has the console mask it, and makes the
    /// client. It sends nothing.
    static command_result<std::unique_ptr<aitbc_session>> open(const command_context& context,
                                                               const aitbc_arguments& arguments);

    [[nodiscard]] aitbc::client& client() noexcept { return *client_; }
    [[nodiscard]] command_loop& loop() noexcept { return loop_; }
    [[nodiscard]] const secret& key() const noexcept { return *key_; }

    /// Options with which the first Ctrl-C cancels a call.
    [[nodiscard]] call_options cancellable() const { return loop_.cancellable(); }

    /// See command_loop::run().
    template <class T>
    result<T> run(asio::awaitable<result<T>> operation) {
        return loop_.run(std::move(operation));
    }

private:
    aitbc_session() = default;

    command_loop loop_;
    std::shared_ptr<const secret> key_;
    std::optional<aitbc::client> client_;
};

}  // namespace vembed::cli
