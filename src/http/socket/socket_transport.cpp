#include "http/socket/socket_transport.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "http/socket/byte_stream.hpp"
#include "http/socket/connecting.hpp"
#include "http/socket/connection_pool.hpp"
#include "http/socket/exchange.hpp"
#include "http/socket/transport_failure.hpp"

namespace vembed::http {
namespace {

using asio::ip::tcp;

class socket_transport final : public transport {
public:
    explicit socket_transport(std::shared_ptr<connection_pool> shared) : pool_(std::move(shared)) {}
    ~socket_transport() override { pool_->close(); }

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        return run(pool_, std::move(request), sink, deadline);
    }

    [[nodiscard]] std::optional<std::uint64_t> exchanges_at_once() const override {
        return pool_->connections_at_once();
    }
    void close() noexcept override { pool_->close(); }

private:
    static asio::awaitable<std::optional<error>> wait_for_place(std::shared_ptr<connection_pool> from,
                                                                monotonic_time deadline);
    static asio::awaitable<std::optional<error>> open_connection(std::shared_ptr<connection_pool> from, checkout* place,
                                                                 monotonic_time give_up, bool* no_descriptor);
    static std::unique_ptr<checkout> take_kept(const std::shared_ptr<connection_pool>& from, monotonic_time deadline,
                                               const asio::cancellation_state& state);
    static asio::awaitable<std::unique_ptr<checkout>> check_out(std::shared_ptr<connection_pool> from,
                                                                monotonic_time deadline, std::optional<error>* failed);
    static asio::awaitable<exchange_outcome> run(std::shared_ptr<connection_pool> from,
                                                 std::shared_ptr<const transport_request> request, response_sink* sink,
                                                 monotonic_time deadline);

    std::shared_ptr<connection_pool> pool_;
};

asio::awaitable<std::optional<error>> socket_transport::wait_for_place(std::shared_ptr<connection_pool> from,
                                                                       monotonic_time deadline) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) {
        co_return error(errc::cancelled, "cancelled before the request was sent");
    }
    runtime::wait_queue::place place(from->line());
    while (!from->closed()) {
        if (place.first() && from->has_place()) {
            co_return std::nullopt;
        }
        const wait_outcome outcome = co_await place.wait_until(deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled while waiting for a connection");
        }
        if (outcome == wait_outcome::expired) {
            co_return error(errc::timeout, "the deadline passed while waiting for a connection");
        }
    }
    co_return closed_meanwhile();
}

asio::awaitable<std::optional<error>> socket_transport::open_connection(std::shared_ptr<connection_pool> from,
                                                                        checkout* place, monotonic_time give_up,
                                                                        bool* no_descriptor) {
    result<tcp::socket> socket = co_await connect(from, give_up, no_descriptor);
    if (!socket) {
        co_return socket.error();
    }
    from->found_descriptor();
    auto stream =
        from->context ? make_tls_stream(std::move(*socket), from->context) : make_plain_stream(std::move(*socket));
    place->hold(std::make_unique<connection>(std::move(stream)), give_up);
    if (!from->context) {
        co_return std::nullopt;
    }
    byte_stream& opened = *place->get().stream;
    std::string host = from->target.host;
    std::optional<error> failed = co_await opened.shake_hands(std::move(host));
    co_return from->closed() ? closed_meanwhile() : failed;
}

// The result of check_out() if nothing has to be waited for, otherwise null.
std::unique_ptr<checkout> socket_transport::take_kept(const std::shared_ptr<connection_pool>& from,
                                                      monotonic_time deadline, const asio::cancellation_state& state) {
    if (from->closed() || !from->line().empty() || is_cancelled(state)) {
        return nullptr;
    }
    std::unique_ptr<connection> kept = from->take_idle();
    return kept ? std::make_unique<checkout>(from, std::move(kept), deadline) : nullptr;
}

asio::awaitable<std::unique_ptr<checkout>> socket_transport::check_out(std::shared_ptr<connection_pool> from,
                                                                       monotonic_time deadline,
                                                                       std::optional<error>* failed) {
    for (;;) {
        *failed = co_await wait_for_place(from, deadline);
        if (*failed) {
            co_return nullptr;
        }
        std::unique_ptr<connection> kept = from->take_idle();
        if (kept) {
            co_return std::make_unique<checkout>(from, std::move(kept), deadline);
        }
        auto place = std::make_unique<checkout>(from);
        const monotonic_time give_up =
            std::min(deadline, deadline_after(from->env->now(), from->options.connect_timeout));
        bool no_descriptor = false;
        *failed = co_await open_connection(from, place.get(), give_up, &no_descriptor);
        if (!*failed) {
            place->set_deadline(deadline);
            co_return place;
        }
        if (no_descriptor && from->wait_for_descriptor()) {
            continue;
        }
        if ((*failed)->kind == errc::timeout && give_up < deadline) {
            (*failed)->kind = errc::network;  // Only the server's time is up, not the caller's.
        }
        co_return nullptr;
    }
}

asio::awaitable<exchange_outcome> socket_transport::run(std::shared_ptr<connection_pool> from,
                                                        std::shared_ptr<const transport_request> request,
                                                        response_sink* sink, monotonic_time deadline) {
    exchange_outcome outcome;
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    std::unique_ptr<checkout> held = take_kept(from, deadline, state);
    if (!held) {
        held = co_await check_out(from, deadline, &outcome.error);
    }
    if (!held) {
        co_return outcome;
    }
    connection* on = &held->get();
    outcome.connection_reused = on->used_before;
    if (from->env->now() >= deadline) {
        outcome.error = error(errc::timeout, "the deadline passed before the request was sent");
        co_return outcome;
    }
    on->reader.emplace();
    outcome.error = co_await send(from, on, request, &outcome);
    if (!outcome.error || (outcome.error->kind == errc::network && !on->ended)) {
        // A server may respond, with a 413 for instance, and close before it has read everything: the response counts.
        std::optional<error> failed = co_await receive(on, sink, &outcome);
        if (!failed) {
            outcome.error.reset();
        } else if (!outcome.error) {
            outcome.error = std::move(failed);
        }
    }
    if (from->closed() && outcome.error) {
        outcome.error = closed_meanwhile();
    }
    if (!outcome.error && outcome.request_written && on->reader->keep_alive() && on->input.size() == 0) {
        held->give_back();
    }
    co_return outcome;
}

}  // namespace

result<std::shared_ptr<transport>> make_socket_transport(asio::any_io_executor executor,
                                                         std::shared_ptr<environment> env, origin to,
                                                         socket_transport_options options) {
    std::shared_ptr<asio::ssl::context> context;
    if (to.tls) {
        auto made = make_tls_context(options.ca_file);
        if (!made) {
            return made.error();
        }
        context = *made;
    }
    auto shared = std::make_shared<connection_pool>(std::move(executor), std::move(env), std::move(to),
                                                    std::move(options), std::move(context));
    return std::shared_ptr<transport>(std::make_shared<socket_transport>(std::move(shared)));
}

}  // namespace vembed::http
