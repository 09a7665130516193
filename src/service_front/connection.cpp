#include "service_front/connection.hpp"

#include <array>
#include <span>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include "service_front/request_reader.hpp"
#include "service_front/response_head.hpp"

namespace vembed::service_front {
namespace {

using error_code = boost::system::error_code;
using tls_stream = asio::ssl::stream<tcp::socket>;

// Completes with the error as a value.
constexpr auto with_error = asio::as_tuple(asio::use_awaitable);

// A read buffer smaller than this costs a system call for every few KB of a body; larger gains nothing.
constexpr std::size_t read_buffer_bytes = 65'536;
// A body's deadline moves on only after this much, so that a drip of single bytes does not keep it alive.
constexpr std::uint64_t body_progress_bytes = 16'384;
// A connection keeps a body's memory for its next request only up to this.
constexpr std::size_t body_kept_bytes = 1u << 20;
// What a peer may still send after the last reply before it is cut off.
constexpr std::uint64_t drain_bytes_max = 128u << 20;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

enum class step : std::uint8_t { read, send_continue, answer, refuse, cut };

testing::service_reply refusal(int status, std::string_view code, std::string_view message) {
    testing::service_reply reply;
    reply.status = status;
    reply.headers.emplace_back("Content-Type", "application/json");
    reply.text = R"({"error":")" + std::string(code) + R"(","message":")" + std::string(message) + "\"}";
    return reply;
}

testing::service_reply refusal_for(const error_code& ec) {
    if (ec == http::error::body_limit) {
        return refusal(413, "request_too_large", "the request's body is too large");
    }
    if (ec == http::error::header_limit) {
        return refusal(431, "invalid_request", "the request's header is too large");
    }
    return refusal(400, "invalid_request", "the request is not well-formed HTTP/1.1");
}

// Reads and answers, without any waiting of its own: bytes in, step out. One for each connection.
class exchange_state {
public:
    explicit exchange_state(std::shared_ptr<shared_state> state) : state_(std::move(state)) {
        buffer_ = std::make_unique_for_overwrite<char[]>(read_buffer_bytes);
    }
    exchange_state(const exchange_state&) = delete;
    exchange_state& operator=(const exchange_state&) = delete;
    ~exchange_state() { state_->body_bytes -= counted_body_; }

    // Where the next bytes go. Moves what is unread to the front first where it stands at the end.
    asio::mutable_buffer room() {
        if (begin_ == end_) {
            begin_ = end_ = 0;
        } else if (end_ == read_buffer_bytes) {
            std::copy(buffer_.get() + begin_, buffer_.get() + end_, buffer_.get());
            end_ -= begin_;
            begin_ = 0;
        }
        return asio::buffer(buffer_.get() + end_, read_buffer_bytes - end_);
    }
    void received(std::size_t size) { end_ += size; }

    // Room for bytes that nobody will read.
    asio::mutable_buffer scratch() { return asio::buffer(buffer_.get(), read_buffer_bytes); }

    // Parses what is there.
    step advance();

    // Asks the service; `reply` may then say to hold.
    void ask() {
        const monotonic_time now = state_->env->now();
        reply = state_->service->handle(arrival_->ordinal, storage_.request, now, state_->env->wall_now());
    }

    // Whether a request has begun to arrive.
    [[nodiscard]] bool in_request() const noexcept { return reader_.has_value() || begin_ != end_; }
    [[nodiscard]] bool in_body() const noexcept { return reader_ && reader_->is_header_done(); }
    [[nodiscard]] std::uint64_t body_size() const noexcept { return storage_.body.size(); }
    [[nodiscard]] bool resets() const noexcept { return arrival_ && arrival_->cut_with_reset; }

    // Composes head and body for writing.
    void compose();
    [[nodiscard]] std::array<asio::const_buffer, 2> unwritten() const;
    // Takes note of written bytes; whether all are.
    bool written(std::size_t size) {
        sent_ += size;
        return sent_ >= to_send_;
    }

    // Makes ready for the next request.
    void next();

    testing::service_reply reply;
    bool close_after = false;  // The reply is the connection's last.

private:
    step refuse(testing::service_reply with) {
        reply = std::move(with);
        close_after = true;
        release_body();
        return step::refuse;
    }
    void begin_request();
    void note_arrival();
    bool count_body();
    void release_body();

    std::shared_ptr<shared_state> state_;
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    request_storage storage_;
    std::optional<request_reader> reader_;
    std::optional<testing::service_arrival> arrival_;
    std::uint64_t consumed_ = 0;  // Of this request, by the parser.
    bool continued_ = false;      // 100 Continue is sent or not wanted.
    std::uint64_t counted_body_ = 0;
    std::string head_;
    std::uint64_t sent_ = 0;
    std::uint64_t to_send_ = 0;
};

void exchange_state::begin_request() {
    reader_.emplace(storage_, state_->options.header_count_max);
    reader_->header_limit(state_->options.header_bytes_max);
    reader_->body_limit(state_->options.body_bytes_max);
    reader_->eager(true);
    arrival_.reset();
    consumed_ = 0;
    continued_ = false;
    close_after = false;
}

// The service draws the place of a cut from a guess at the request's length, which is best once the header is there.
void exchange_state::note_arrival() {
    if (!arrival_) {
        std::uint64_t expected = consumed_ + (end_ - begin_);
        if (reader_->is_header_done()) {
            expected = consumed_ + reader_->content_length_remaining().value_or(0);
        }
        arrival_ = state_->service->arrive(expected);
    }
}

// Counts the body against what all connections may hold; false where that is too much.
bool exchange_state::count_body() {
    const std::uint64_t size = storage_.body.size();
    state_->body_bytes += size - counted_body_;
    counted_body_ = size;
    return state_->body_bytes <= state_->options.bodies_bytes_max;
}

step exchange_state::advance() {
    if (!reader_) {
        if (begin_ == end_) {
            return step::read;
        }
        begin_request();
    }
    while (begin_ != end_ && !reader_->is_done()) {
        error_code ec;
        const std::size_t used = reader_->put(asio::const_buffer(buffer_.get() + begin_, end_ - begin_), ec);
        begin_ += used;
        consumed_ += used;
        if (ec && ec != http::error::need_more) {
            return refuse(refusal_for(ec));
        }
        if (ec || used == 0) {
            break;
        }
    }
    note_arrival();
    const bool done = reader_->is_done();
    const std::uint64_t arrived = consumed_ + (done ? 0 : end_ - begin_);
    if (arrival_->cut_request_after && (done || arrived >= *arrival_->cut_request_after)) {
        return step::cut;
    }
    if (!count_body()) {
        return refuse(refusal(503, "service_busy", "too many large requests at once"));
    }
    if (done) {
        close_after = !reader_->keep_alive() || state_->stopping;
        return step::answer;
    }
    if (begin_ == 0 && end_ == read_buffer_bytes) {  // One endless line, such as a chunk's extensions.
        return refuse(refusal_for(http::error::header_limit));
    }
    if (reader_->is_header_done() && reader_->expects_continue() && !continued_) {
        continued_ = true;
        return storage_.body.empty() ? step::send_continue : step::read;
    }
    return step::read;
}

void exchange_state::compose() {
    write_response_head(head_, reply, close_after);
    sent_ = 0;
    // The reply to HEAD (always a refusal here) has no body whatever its Content-Length says.
    to_send_ = head_.size() + (storage_.request.method == "HEAD" ? 0 : reply.body().size());
    if (reply.cut_after) {
        to_send_ = std::min(to_send_, *reply.cut_after);
    }
}

std::array<asio::const_buffer, 2> exchange_state::unwritten() const {
    const std::span<const std::byte> body = reply.body();
    const std::uint64_t head_end = std::min<std::uint64_t>(head_.size(), to_send_);
    const std::uint64_t head_begin = std::min(sent_, head_end);
    const std::uint64_t body_begin = sent_ - head_begin;
    return {asio::const_buffer(head_.data() + head_begin, head_end - head_begin),
            asio::const_buffer(body.data() + body_begin, to_send_ - head_end - body_begin)};
}

void exchange_state::next() {
    reader_.reset();
    reply.output_owner.reset();
    reply.output = {};
    release_body();
}

void exchange_state::release_body() {
    state_->body_bytes -= counted_body_;
    counted_body_ = 0;
    storage_.request.body = {};
    if (storage_.body.capacity() > body_kept_bytes) {
        storage_.body = std::string();
    }
}

// The coroutine side: carries out the steps on a socket, or on TLS over one.
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
        error_code ignored;  // Closing a socket that is already dead is no news.
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
    asio::awaitable<bool> write_reply();
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

    std::shared_ptr<shared_state> state_;
    Stream stream_;
    exchange_state exchange_;
    std::list<connection*>::iterator place_;
    std::unique_ptr<timer> hold_;
    std::uint64_t armed_body_ = 0;  // The body's size when its deadline was last set.
    enum class phase : std::uint8_t { idle, header, body } phase_ = phase::idle;
    bool phase_armed_ = false;
    bool writing_ = false;  // A reply, or the connection's orderly end.
};

// A header's deadline is set once, at its first byte; a body's moves on as it grows.
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
        error_code ignored;  // Without the option the end is an orderly one: a cut all the same.
        socket().set_option(asio::socket_base::linger(true, 0), ignored);
    }
    abort();
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::handshake() {
    if constexpr (is_tls) {
        arm(state_->options.handshake_timeout);
        const auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, with_error);
        co_return !ec;
    }
    co_return true;
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::read() {
    arm_read();
    const asio::mutable_buffer room = exchange_.room();
    const auto [ec, size] = co_await stream_.async_read_some(room, with_error);
    exchange_.received(size);
    co_return !ec && open();
}

// Waits as the service says and asks again, until there is a reply. False where the connection was closed meanwhile.
template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::hold_and_ask() {
    deadline_ = no_deadline;
    if (!hold_) {
        hold_ = state_->env->make_timer(stream_.get_executor());
    }
    while (exchange_.reply.hold_until) {
        const monotonic_time until = *exchange_.reply.hold_until;
        const wait_outcome outcome = co_await hold_->wait_until(until);
        if (outcome != wait_outcome::expired || !open()) {
            co_return false;
        }
        exchange_.ask();
    }
    co_return true;
}

// Most replies fit into the socket's buffer: then nothing has to wait. True where all is written.
template <class Stream>
bool stream_connection<Stream>::write_now() {
    if constexpr (!is_tls) {
        error_code ec;
        const auto pieces = exchange_.unwritten();
        const std::size_t size = stream_.write_some(pieces, ec);  // An error shows again in the write that waits.
        return exchange_.written(size);
    }
    return false;
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::write_reply() {
    writing_ = true;
    bool done = exchange_.written(0);
    while (!done) {
        arm(state_->options.write_timeout);
        const auto pieces = exchange_.unwritten();
        const auto [ec, size] = co_await stream_.async_write_some(pieces, with_error);
        if (ec) {
            co_return false;
        }
        done = exchange_.written(size);
    }
    writing_ = false;
    co_return open();
}

template <class Stream>
asio::awaitable<bool> stream_connection<Stream>::write_all(std::string_view text) {
    arm(state_->options.write_timeout);
    while (!text.empty()) {
        const asio::const_buffer rest(text.data(), text.size());
        const auto [ec, size] = co_await stream_.async_write_some(rest, with_error);
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
        // Fails where the peer still sends: then it learns of the end from the socket below.
        [[maybe_unused]] const auto [ec] = co_await stream_.async_shutdown(with_error);
    }
    co_return;
}

// Ends in order: the peer gets all that was written, which a close with unread bytes would destroy.
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
        const auto [read_ec, size] = co_await socket().async_read_some(room, with_error);
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
            if (exchange_.reply.hold_until) {
                alive = co_await hold_and_ask();
                if (!alive) {
                    break;
                }
            }
        }
        exchange_.compose();
        if (!write_now()) {
            alive = co_await write_reply();
        }
        if (exchange_.reply.cut_after) {
            cut(exchange_.reply.cut_with_reset);
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
    error_code ignored;  // A socket without it works too, only slower.
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
