#include "service_front/connection.hpp"

#include <string_view>
#include <type_traits>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/awaited_result.hpp"
#include "service_front/exchange.hpp"

namespace vembed::service_front {
namespace {

using error_code = boost::system::error_code;
using tls_stream = asio::ssl::stream<tcp::socket>;

// A body's deadline moves on only after this many bytes, so that a drip of single bytes does not keep it alive.
constexpr std::uint64_t body_progress_bytes = 16'384;
// How many bytes a peer may still send after the last response before it is cut off.
constexpr std::uint64_t drain_bytes_max = 128u << 20;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

// The coroutine side: carries out the steps on a socket or on TLS over a socket.
template <class Stream>
class stream_connection final : public connection {
public:
    stream_connection(std::shared_ptr<shared_state> state, Stream stream)
        : state_(std::move(state)), stream_(std::move(stream)), exchange_(state_) {
        place_ = state_->connections.insert(state_->connections.end(), this);
    }
    ~stream_connection() override {
        state_->connections.erase(place_);
        state_->room->wake();
        if (state_->stopping && state_->connections.empty()) {
            state_->sweep->wake();
        }
    }

    void retire() override {
        if (!writing_) {
            abort();
        }
    }

    void abort() override {
        error_code ignored;  // An error is expected if the socket is already dead.
        socket().close(ignored);
        if (hold_) {
            hold_->wake();
        }
    }

    asio::awaitable<void> run();

private:
    static constexpr bool is_tls = std::is_same_v<Stream, tls_stream>;

    asio::awaitable<bool> handshake();
    asio::awaitable<bool> read();
    asio::awaitable<bool> hold_and_ask();
    asio::awaitable<bool> write_response();
    asio::awaitable<bool> write_rest();
    asio::awaitable<bool> write_all(std::string_view text);
    asio::awaitable<void> finish();
    asio::awaitable<void> close_tls();

    tcp::socket& socket() {
        if constexpr (is_tls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }
    [[nodiscard]] bool open() { return socket().is_open(); }
    void arm(std::chrono::milliseconds timeout) { deadline_ = deadline_after(state_->env->now(), timeout); }
    void arm_read();
    bool write_now();
    void cut(bool with_reset);
    [[nodiscard]] bool peer_left();

    std::shared_ptr<shared_state> state_;
    Stream stream_;
    exchange_state exchange_;
    std::list<connection*>::iterator place_;
    std::unique_ptr<timer> hold_;
    std::uint64_t armed_body_ = 0;  // The body's size when its deadline was last set.
    enum class phase : std::uint8_t { idle, header, body } phase_ = phase::idle;
    bool phase_armed_ = false;
    bool writing_ = false;  // A response is being written, or the connection is being closed in order.
};

// A header's deadline is set once, at its first byte; a body's deadline moves on as the body grows.
template <class Stream>
void stream_connection<Stream>::arm_read() {
    const phase now_in = exchange_.in_body() ? phase::body : exchange_.in_request() ? phase::header : phase::idle;
    const bool entered = !phase_armed_ || now_in != phase_;
    phase_ = now_in;
    phase_armed_ = true;
    switch (now_in) {
        case phase::idle:
            if (entered) {
                arm(state_->options.idle_timeout);
            }
            break;
        case phase::header:
            if (entered) {
                arm(state_->options.header_timeout);
            }
            break;
        case phase::body:
            if (entered || exchange_.body_size() - armed_body_ >= body_progress_bytes) {
                armed_body_ = exchange_.body_size();
                arm(state_->options.body_timeout);
            }
            break;
    }
}

template <class Stream>
void stream_connection<Stream>::cut(bool with_reset) {
    if (with_reset) {
        error_code ignored;  // Without the option the end is an orderly one, which is also a cut.
        socket().set_option(asio::socket_base::linger(true, 0), ignored);
    }
    abort();
}

// Whether the peer has closed its side, which a body that goes on takes for its leaving: while nothing is to be
// written, nothing else tells. Bytes that wait to be read hide it.
template <class Stream>
bool stream_connection<Stream>::peer_left() {
    char next = 0;
    error_code ec;
    socket().receive(asio::buffer(&next, 1), tcp::socket::message_peek, ec);
    return ec && ec != asio::error::would_block && ec != asio::error::try_again;
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::handshake() {
    if constexpr (is_tls) {
        arm(state_->options.handshake_timeout);
        const auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
        co_return !ec;
    }
    co_return true;
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::read() {
    arm_read();
    const asio::mutable_buffer room = exchange_.room();
    const auto [ec, size] = co_await stream_.async_read_some(room, as_result);
    exchange_.received(size);
    co_return !ec && open();
}

// Waits as long as the service says and asks again until there is a response. False if the connection was closed
// meanwhile.
template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::hold_and_ask() {
    deadline_ = no_deadline;
    if (!hold_) {
        hold_ = state_->env->make_timer(stream_.get_executor());
    }
    while (exchange_.response.hold_until) {
        const monotonic_time until = *exchange_.response.hold_until;
        const wait_outcome outcome = co_await hold_->wait_until(until);
        if (outcome != wait_outcome::expired || !open()) {
            co_return false;
        }
        exchange_.ask();
    }
    co_return true;
}

// Most responses fit into the socket's buffer, so that no wait is needed. True if everything is written.
template <class Stream>
bool stream_connection<Stream>::write_now() {
    if constexpr (!is_tls) {
        error_code ec;
        const auto pieces = exchange_.unwritten();
        const std::size_t size = stream_.write_some(pieces, ec);  // The write that waits gets the same error again.
        return exchange_.written(size);
    }
    return false;
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::write_response() {
    writing_ = true;
    bool done = exchange_.written(0);
    while (!done) {
        arm(state_->options.write_timeout);
        const auto pieces = exchange_.unwritten();
        const auto [ec, size] = co_await stream_.async_write_some(pieces, as_result);
        if (ec) {
            co_return false;
        }
        done = exchange_.written(size);
    }
    writing_ = false;
    co_return open();
}

// Writes the pieces of a body that goes on, each at its time. False if the connection is over.
template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::write_rest() {
    while (exchange_.goes_on()) {
        const monotonic_time until = exchange_.next_piece_at();
        if (until > state_->env->now()) {
            if (state_->stopping) {
                co_return false;
            }
            deadline_ = no_deadline;
            if (!hold_) {
                hold_ = state_->env->make_timer(stream_.get_executor());
            }
            const wait_outcome outcome = co_await hold_->wait_until(until);
            if (outcome != wait_outcome::expired || !open() || peer_left()) {
                co_return false;
            }
        }
        exchange_.compose_piece();
        const bool written = co_await write_response();
        if (!written) {
            co_return false;
        }
    }
    co_return true;
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::write_all(std::string_view text) {
    arm(state_->options.write_timeout);
    while (!text.empty()) {
        const asio::const_buffer rest(text.data(), text.size());
        const auto [ec, size] = co_await stream_.async_write_some(rest, as_result);
        if (ec) {
            co_return false;
        }
        text.remove_prefix(size);
    }
    phase_armed_ = false;
    co_return open();
}

template <class Stream>
asio::awaitable<void> stream_connection<Stream>::close_tls() {
    if constexpr (is_tls) {
        // Fails if the peer still sends: then the peer learns of the end from the socket below.
        [[maybe_unused]] const auto [ec] = co_await stream_.async_shutdown(as_result);
    }
    co_return;
}

// Closes in order: the peer gets everything that was written; a close with unread bytes would destroy some of it.
template <class Stream>
asio::awaitable<void> stream_connection<Stream>::finish() {
    writing_ = true;
    arm(state_->options.linger_timeout);
    co_await close_tls();
    error_code ec;
    socket().shutdown(tcp::socket::shutdown_send, ec);
    std::uint64_t drained = 0;
    while (!ec && drained < drain_bytes_max) {
        const asio::mutable_buffer room = exchange_.scratch();
        const auto [read_ec, size] = co_await socket().async_read_some(room, as_result);
        ec = read_ec;
        drained += size;
    }
    abort();
}

template <class Stream>
asio::awaitable<void> stream_connection<Stream>::run() {
    bool alive = co_await handshake();
    while (alive) {
        const step next = exchange_.advance();
        if (next == step::read) {
            alive = co_await read();
            continue;
        }
        if (next == step::send_continue) {
            alive = co_await write_all(continue_line);
            continue;
        }
        if (next == step::cut) {
            cut(exchange_.resets());
            co_return;
        }
        if (next == step::answer) {
            exchange_.ask();
            if (exchange_.response.hold_until) {
                alive = co_await hold_and_ask();
                if (!alive) {
                    break;
                }
            }
        }
        exchange_.compose();
        if (!write_now()) {
            alive = co_await write_response();
        }
        if (alive && exchange_.goes_on()) {
            alive = co_await write_rest();
        }
        if (exchange_.cuts()) {
            cut(exchange_.response.cut_with_reset);
            co_return;
        }
        if (alive && (exchange_.close_after || state_->stopping)) {
            co_await finish();
            co_return;
        }
        exchange_.next();
        phase_armed_ = false;
    }
}

template <class Stream>
asio::awaitable<void> serve_stream(std::shared_ptr<shared_state> state, Stream stream) {
    const auto served = std::make_unique<stream_connection<Stream>>(std::move(state), std::move(stream));
    co_await served->run();
}

}  // namespace

asio::awaitable<void> serve_connection(std::shared_ptr<shared_state> state, tcp::socket socket) {
    if (state->stopping) {
        co_return;  // It was accepted just before the stop: nobody would retire it.
    }
    error_code ignored;  // A socket without the option also works, only slower.
    socket.set_option(tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
    if (state->tls) {
        tls_stream stream(std::move(socket), *state->tls);
        co_await serve_stream(std::move(state), std::move(stream));
    } else {
        co_await serve_stream(std::move(state), std::move(socket));
    }
}

}  // namespace vembed::service_front
