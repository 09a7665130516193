#include "service_front/front.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/awaited_result.hpp"
#include "service_front/connection.hpp"
#include "service_front/tls_context.hpp"

namespace vembed::service_front {
namespace {

using error_code = boost::system::error_code;

// How long the backlog is left alone if the system has no descriptor or memory for one more connection.
constexpr std::chrono::milliseconds accept_pause{50};

error bind_failure(const front_options& options, const error_code& ec) {
    return error(errc::io,
                 "cannot listen on " + options.address + " port " + std::to_string(options.port) + ": " + ec.message());
}

// The interval makes a timeout strike at most a quarter of its length late, and is no shorter than needed.
std::chrono::milliseconds sweep_interval(const front_options& options) {
    const std::chrono::milliseconds shortest =
        std::min({options.handshake_timeout, options.header_timeout, options.body_timeout, options.write_timeout,
                  options.idle_timeout, options.linger_timeout});
    return std::clamp(shortest / 4, std::chrono::milliseconds(1), std::chrono::milliseconds(1000));
}

}  // namespace

class front::listener {
public:
    listener(asio::any_io_executor executor, std::shared_ptr<shared_state> state)
        : executor_(std::move(executor)), acceptor_(executor_), state_(std::move(state)) {}

    result<void> open();
    void stop();

    static asio::awaitable<void> accept(std::shared_ptr<listener> self);
    static asio::awaitable<void> sweep(std::shared_ptr<listener> self);

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string base_url() const;

private:
    asio::any_io_executor executor_;
    tcp::acceptor acceptor_;
    std::shared_ptr<shared_state> state_;
    std::uint16_t port_ = 0;
};

result<void> front::listener::open() {
    const front_options& options = state_->options;
    if (!options.tls_certificate_file.empty() || !options.tls_key_file.empty()) {
        auto context = make_tls_context(options.tls_certificate_file, options.tls_key_file);
        if (!context) {
            return context.error();
        }
        state_->tls = *std::move(context);
    }
    error_code ec;
    const asio::ip::address address = asio::ip::make_address(options.address, ec);
    if (ec) {
        return error(errc::invalid_argument, "`" + options.address + "` is not a numeric IP address");
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) {
        acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    }
    if (!ec) {
        acceptor_.bind(endpoint, ec);
    }
    if (!ec) {
        acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    }
    if (!ec) {
        port_ = acceptor_.local_endpoint(ec).port();
    }
    if (ec) {
        return bind_failure(options, ec);
    }
    state_->room = state_->env->make_timer(executor_);
    state_->sweep = state_->env->make_timer(executor_);
    return {};
}

std::string front::listener::base_url() const {
    // If the listener is on every address of the machine, its own clients reach it over loopback, the only address to
    // which they send a key without TLS.
    const asio::ip::address bound = asio::ip::make_address(state_->options.address);
    const std::string reached = !bound.is_unspecified() ? state_->options.address : bound.is_v6() ? "::1" : "127.0.0.1";
    const std::string host = bound.is_v6() ? "[" + reached + "]" : reached;
    return (state_->tls ? "https://" : "http://") + host + ":" + std::to_string(port_);
}

void front::listener::stop() {
    if (state_->stopping) {
        return;
    }
    state_->stopping = true;
    error_code ignored;  // An error is fine: the listener is to be closed, and it may be closed already.
    acceptor_.close(ignored);
    for (connection* const each : state_->connections) {
        each->retire();
    }
    if (state_->room) {
        state_->room->wake();
        state_->sweep->wake();
    }
}

asio::awaitable<void> front::listener::accept(std::shared_ptr<listener> self) {
    shared_state& state = *self->state_;
    while (!state.stopping) {
        if (state.connections.size() >= state.options.connections_max) {
            co_await state.room->wait_until(no_deadline);
            continue;
        }
        auto [ec, socket] = co_await self->acceptor_.async_accept(as_result);
        if (!ec) {
            asio::co_spawn(self->executor_, serve_connection(self->state_, std::move(socket)), asio::detached);
        } else if (!state.stopping && ec != asio::error::connection_aborted) {
            state.env->log(log_level::warning, "accept_failed", {log_field("error", ec.message())});
            const monotonic_time again = deadline_after(state.env->now(), accept_pause);
            co_await state.room->wait_until(again);
        }
    }
}

asio::awaitable<void> front::listener::sweep(std::shared_ptr<listener> self) {
    shared_state& state = *self->state_;
    const std::chrono::milliseconds interval = sweep_interval(state.options);
    while (!state.stopping || !state.connections.empty()) {
        const monotonic_time next = deadline_after(state.env->now(), interval);
        co_await state.sweep->wait_until(next);
        const monotonic_time now = state.env->now();
        for (connection* const each : state.connections) {
            each->enforce_deadline(now);
        }
    }
}

front::front(asio::any_io_executor executor, std::shared_ptr<environment> env,
             std::shared_ptr<vembed::testing::local_service> service, front_options options) {
    auto state = std::make_shared<shared_state>();
    state->env = std::move(env);
    state->service = std::move(service);
    state->options = std::move(options);
    listener_ = std::make_shared<listener>(std::move(executor), std::move(state));
}

front::~front() {
    stop();
}

result<void> front::start() {
    result<void> opened = listener_->open();
    if (opened) {
        asio::co_spawn(listener_->executor(), listener::accept(listener_), asio::detached);
        asio::co_spawn(listener_->executor(), listener::sweep(listener_), asio::detached);
    }
    return opened;
}

std::uint16_t front::port() const noexcept {
    return listener_->port();
}

std::string front::base_url() const {
    return listener_->base_url();
}

void front::stop() {
    asio::dispatch(listener_->executor(), [listening = listener_] { listening->stop(); });
}

}  // namespace vembed::service_front
