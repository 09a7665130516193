#include "http/socket_transport.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "http/byte_stream.hpp"
#include "http/response_reader.hpp"
#include "runtime/alarm.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Heads are small and most of a body is read in place; chunked bodies, which have to be decoded, read more at once.
constexpr std::size_t head_read_size = 4 * 1024;
constexpr std::size_t chunked_read_size = 64 * 1024;
constexpr std::size_t in_place_read_max = 16 * 1024 * 1024;
constexpr std::size_t until_close_read_size = 64 * 1024;

failure transport_failure(const boost::system::error_code& error, std::string_view doing) {
    if (error == beast::error::timeout) {
        return {errc::timeout, "the deadline passed while " + std::string(doing)};
    }
    if (error == asio::error::operation_aborted) {
        return {errc::cancelled, "cancelled while " + std::string(doing)};
    }
    return {errc::network, "the connection failed while " + std::string(doing) + ": " + error.message()};
}

failure end_of_stream(std::string_view doing) {
    return {errc::network, "the server closed the connection while " + std::string(doing)};
}

// A live connection. Kept in the pool's set of open connections so that close() reaches it wherever it is.
class connection {
public:
    explicit connection(std::unique_ptr<byte_stream> connected) : stream(std::move(connected)) {}

    std::unique_ptr<byte_stream> stream;
    beast::flat_buffer input;
    std::string head;                       ///< Of the request being sent, without the key.
    std::optional<response_reader> reader;  ///< Of the reply being read.
    monotonic_time idle_since{};
    bool used_before = false;
    bool ended = false;  ///< Nothing more can be read; another read might wait for ever.
    std::multimap<monotonic_time, connection*>::iterator due;  ///< Where the pool's `busy` has it.
};

class pool : public std::enable_shared_from_this<pool> {
public:
    pool(asio::any_io_executor on, std::shared_ptr<environment> with, origin to, socket_transport_options chosen,
         std::shared_ptr<asio::ssl::context> tls)
        : executor(std::move(on)),
          env(std::move(with)),
          target(std::move(to)),
          options(std::move(chosen)),
          context(std::move(tls)),
          line(executor, env),
          watch(executor, [this] { end_overdue(); }) {}

    asio::any_io_executor executor;
    std::shared_ptr<environment> env;
    origin target;
    socket_transport_options options;
    std::shared_ptr<asio::ssl::context> context;
    runtime::wait_queue line;
    runtime::alarm watch;                             ///< Set to the earliest deadline of `busy`, or before it.
    std::vector<std::unique_ptr<connection>> idle;    ///< The one used last at the end.
    std::multimap<monotonic_time, connection*> busy;  ///< By the time when their exchange has to end.
    std::set<const std::function<void()>*> interruptions;
    tcp::endpoint worked;    ///< The address of the last connection that came about.
    std::uint32_t open = 0;  ///< Idle, busy and being connected.
    bool closed = false;

    std::unique_ptr<connection> take_idle();
    void drop_stale();
    void add_busy(connection& working, monotonic_time deadline);
    void remove_busy(connection& working);
    void end_overdue();
    void close() noexcept;
    [[nodiscard]] std::uint64_t connections_at_once() const;
};

// Other files need descriptors too: the program's own, the journal, the corpus.
constexpr std::uint64_t descriptors_reserved = 32;

std::uint64_t pool::connections_at_once() const {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
        return options.connections_max;
    }
    const auto soft = static_cast<std::uint64_t>(files.rlim_cur);
    return std::min<std::uint64_t>(options.connections_max, soft - std::min(soft, descriptors_reserved));
}

// The connection used last is the likeliest to be alive; the others get to rest until they are too old.
std::unique_ptr<connection> pool::take_idle() {
    drop_stale();
    while (!idle.empty()) {
        std::unique_ptr<connection> candidate = std::move(idle.back());
        idle.pop_back();
        if (candidate->stream->alive()) {
            return candidate;
        }
        --open;
    }
    return nullptr;
}

void pool::drop_stale() {
    const monotonic_time now = env->now();
    const auto fresh = std::find_if(idle.begin(), idle.end(), [&](const std::unique_ptr<connection>& c) {
        return now - c->idle_since < options.idle_max;
    });
    open -= static_cast<std::uint32_t>(fresh - idle.begin());
    idle.erase(idle.begin(), fresh);
}

// One alarm for all connections: most deadlines come in the order they are set, so that it is seldom set anew.
void pool::add_busy(connection& working, monotonic_time deadline) {
    working.due = busy.emplace(deadline, &working);
    if (deadline < watch.at()) {
        watch.set(deadline);
    }
}

void pool::remove_busy(connection& working) {
    busy.erase(working.due);
    if (busy.empty()) {
        watch.clear();
    }
}

void pool::end_overdue() {
    const monotonic_time now = env->now();
    while (!busy.empty() && busy.begin()->first <= now) {
        connection& late = *busy.begin()->second;
        busy.erase(late.due);
        late.due = busy.emplace(no_deadline, &late);
        late.stream->time_out();
    }
    if (!busy.empty()) {
        watch.set(busy.begin()->first);
    }
}

void pool::close() noexcept {
    closed = true;
    open -= static_cast<std::uint32_t>(idle.size());
    idle.clear();
    for (const auto& [deadline, working] : busy) {
        working->stream->close();
    }
    for (const std::function<void()>* interrupt : interruptions) {
        (*interrupt)();
    }
    line.wake_all();
}

// Something that pool::close() has to end although it is not a connection yet.
class interruption {
public:
    interruption(pool& from, std::function<void()> end) : pool_(&from), end_(std::move(end)) {
        pool_->interruptions.insert(&end_);
    }
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;
    ~interruption() { pool_->interruptions.erase(&end_); }

private:
    pool* pool_;
    std::function<void()> end_;
};

// Holds one of the pool's places for as long as an exchange needs it.
class checkout {
public:
    explicit checkout(std::shared_ptr<pool> from) : pool_(std::move(from)) { ++pool_->open; }
    checkout(std::shared_ptr<pool> from, std::unique_ptr<connection> taken, monotonic_time deadline)
        : pool_(std::move(from)) {
        hold(std::move(taken), deadline);
    }
    checkout(const checkout&) = delete;
    checkout& operator=(const checkout&) = delete;

    ~checkout() {
        drop();
        --pool_->open;
        pool_->line.wake_first();
    }

    // What the connection does from now on has to end at the deadline.
    void hold(std::unique_ptr<connection> taken, monotonic_time deadline) {
        connection_ = std::move(taken);
        pool_->add_busy(*connection_, deadline);
    }

    void set_deadline(monotonic_time deadline) {
        pool_->remove_busy(*connection_);
        pool_->add_busy(*connection_, deadline);
    }

    void drop() {
        if (connection_) {
            pool_->remove_busy(*connection_);
            connection_.reset();
        }
    }

    // The exchange ended cleanly: others may use the connection.
    void give_back() {
        if (pool_->closed) {
            return;
        }
        pool_->remove_busy(*connection_);
        connection_->used_before = true;
        connection_->idle_since = pool_->env->now();
        connection_->reader.reset();
        connection_->input.clear();
        if (connection_->input.capacity() > head_read_size) {
            connection_->input.shrink_to_fit();
        }
        pool_->idle.push_back(std::move(connection_));
        ++pool_->open;
    }

    [[nodiscard]] connection& get() const noexcept { return *connection_; }

private:
    std::shared_ptr<pool> pool_;
    std::unique_ptr<connection> connection_;
};

std::chrono::nanoseconds time_left(const pool& from, monotonic_time deadline) {
    constexpr std::chrono::nanoseconds longest = std::chrono::hours(24);
    return std::clamp<std::chrono::nanoseconds>(deadline - from.env->now(), std::chrono::nanoseconds(1), longest);
}

failure closed_meanwhile() {
    return {errc::cancelled, "the client was closed"};
}

// A name being looked up. The system's resolver can be neither hurried nor cancelled, so nobody waits for it directly.
class lookup {
public:
    explicit lookup(const pool& from) : resolver(from.executor), ended(from.env->make_timer(from.executor)) {}

    tcp::resolver resolver;
    std::unique_ptr<timer> ended;
    std::optional<boost::system::error_code> error;
    tcp::resolver::results_type endpoints;
};

asio::awaitable<result<tcp::resolver::results_type>> resolve(std::shared_ptr<pool> from, monotonic_time give_up) {
    const auto under_way = std::make_shared<lookup>(*from);
    interruption on_close(*from, [under_way] { under_way->ended->wake(); });
    auto done = [under_way](const boost::system::error_code& error, tcp::resolver::results_type endpoints) {
        under_way->error = error;
        under_way->endpoints = std::move(endpoints);
        under_way->ended->wake();
    };
    under_way->resolver.async_resolve(from->target.host, from->target.port, std::move(done));
    const wait_outcome waited = co_await under_way->ended->wait_until(give_up);
    if (from->closed) {
        co_return closed_meanwhile();
    }
    if (waited == wait_outcome::cancelled) {
        co_return failure(errc::cancelled, "cancelled while resolving " + from->target.host);
    }
    if (!under_way->error) {
        co_return failure(errc::timeout, "the deadline passed while resolving " + from->target.host);
    }
    if (*under_way->error) {
        co_return failure(errc::network, "cannot resolve " + from->target.host + ": " + under_way->error->message());
    }
    co_return std::move(under_way->endpoints);
}

// In the order they are tried: the one that worked last comes first.
asio::awaitable<result<std::vector<tcp::endpoint>>> find_addresses(std::shared_ptr<pool> from, monotonic_time give_up) {
    std::vector<tcp::endpoint> found = from->options.addresses;
    if (found.empty()) {
        const result<tcp::resolver::results_type> resolved = co_await resolve(from, give_up);
        if (!resolved) {
            co_return resolved.error();
        }
        for (const auto& entry : *resolved) {
            found.push_back(entry.endpoint());
        }
    }
    std::stable_partition(found.begin(), found.end(), [&](const tcp::endpoint& a) { return a == from->worked; });
    co_return found;
}

asio::awaitable<result<tcp::socket>> connect_to(std::shared_ptr<pool> from, tcp::endpoint address,
                                                monotonic_time give_up) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) {
        co_return failure(errc::cancelled, "cancelled before connecting to " + from->target.host_field);
    }
    beast::tcp_stream stream(from->executor);
    interruption on_close(*from, [&stream] { stream.close(); });
    stream.expires_after(time_left(*from, give_up));
    const auto [error] = co_await stream.async_connect(address, as_result);
    if (from->closed) {
        co_return closed_meanwhile();
    }
    if (error) {
        co_return transport_failure(error, "connecting to " + from->target.host_field);
    }
    tcp::socket socket = stream.release_socket();
    boost::system::error_code ignored;
    // Without it the link still works, only slower.
    socket.set_option(tcp::no_delay(true), ignored);
    co_return socket;
}

// An address that does not answer must not use up the time of those behind it.
monotonic_time end_of_turn(const pool& from, std::size_t addresses_left, monotonic_time give_up) {
    if (addresses_left == 1) {
        return give_up;
    }
    const monotonic_time now = from.env->now();
    const std::chrono::nanoseconds share = time_left(from, give_up) / addresses_left;
    return now + std::min<std::chrono::nanoseconds>(share, from.options.address_timeout);
}

asio::awaitable<result<tcp::socket>> connect(std::shared_ptr<pool> from, monotonic_time give_up) {
    const result<std::vector<tcp::endpoint>> addresses = co_await find_addresses(from, give_up);
    if (!addresses) {
        co_return addresses.error();
    }
    failure last(errc::network, from->target.host + " has no address");
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        const tcp::endpoint address = (*addresses)[i];
        const monotonic_time turn = end_of_turn(*from, addresses->size() - i, give_up);
        result<tcp::socket> made = co_await connect_to(from, address, turn);
        if (made) {
            from->worked = address;
            co_return made;
        }
        if (made.error().kind == errc::cancelled) {
            co_return made;
        }
        last = made.error();
    }
    co_return last;
}

void write_head(std::string& head, const pool& from, const transport_request& request) {
    head.clear();
    head.reserve(512);
    head += to_string(request.method);
    head += ' ';
    head += from.target.base_path;
    head += request.target;
    head += " HTTP/1.1\r\nHost: ";
    head += from.target.host_field;
    head += "\r\nUser-Agent: ";
    head += from.options.user_agent;
    head += "\r\nAccept-Encoding: identity\r\n";
    for (const header_field& field : request.headers) {
        head += field.name;
        head += ": ";
        head += field.value;
        head += "\r\n";
    }
    if (request.method == http_method::post) {
        head += "Content-Length: ";
        head += std::to_string(request.body.size());
        head += "\r\n";
    }
    if (request.key) {
        head += "Authorization: Bearer ";
    }
}

// Drops the first `size` bytes of the pieces.
void advance(gather& pieces, std::size_t size) {
    for (asio::const_buffer& piece : pieces) {
        const std::size_t step = std::min(size, piece.size());
        piece += step;
        size -= step;
    }
}

// What the reply's head is read from. `while_what`: for the failure where nothing more comes, `doing`: for any other.
asio::awaitable<std::optional<failure>> read_more(connection* on, exchange_outcome* outcome, const char* while_what,
                                                  const char* doing) {
    const asio::mutable_buffer room = on->input.prepare(head_read_size);
    const io_result read = co_await on->stream->read_some(room);
    on->input.commit(read.size);
    outcome->reply_begun = outcome->reply_begun || read.size > 0;
    on->ended = read.error.failed();
    if (read.error == asio::error::eof) {
        co_return end_of_stream(while_what);
    }
    if (read.error) {
        co_return transport_failure(read.error, doing);
    }
    co_return std::nullopt;
}

// Whether the head is whole in what was read; then the outcome has it.
result<bool> take_head(connection& on, exchange_outcome& outcome) {
    const result<bool> complete = on.reader->read_head(on.input);
    if (complete && *complete) {
        outcome.head = on.reader->release_head();
    }
    return complete;
}

// Takes in what came while the request is being written, as far as it is the head of a reply.
asio::awaitable<std::optional<failure>> take_early(connection* on, exchange_outcome* outcome) {
    std::optional<failure> failed = co_await read_more(on, outcome, "the request was sent", "sending the request");
    if (failed) {
        co_return failed;
    }
    const result<bool> complete = take_head(*on, *outcome);
    if (!complete) {
        co_return complete.error();
    }
    co_return std::nullopt;
}

// The key goes from its own memory to the socket: it is in no buffer of ours.
//
// A server that refuses a request may say so and not read on (RFC 9112 section 9.5): where writing has to wait, what it
// sends meanwhile is read, and a refusal ends the writing. Interim replies do not, and neither does a 2xx: the server
// may still want the rest.
asio::awaitable<std::optional<failure>> send(std::shared_ptr<pool> from, connection* on,
                                             std::shared_ptr<const transport_request> request,
                                             exchange_outcome* outcome) {
    write_head(on->head, *from, *request);
    const std::string_view key = request->key ? request->key->reveal() : std::string_view();
    const std::string_view end = request->key ? "\r\n\r\n" : "\r\n";
    gather pieces{asio::buffer(on->head), asio::buffer(key.data(), key.size()), asio::buffer(end.data(), end.size()),
                  asio::buffer(request->body)};
    while (asio::buffer_size(pieces) > 0) {
        const heed whom = outcome->head ? heed::nothing : heed::peer;
        const io_result written = co_await on->stream->write_some(pieces, whom);
        if (written.peer_spoke) {
            std::optional<failure> failed = co_await take_early(on, outcome);
            if (failed || (outcome->head && outcome->head->status >= 300)) {
                outcome->bytes_written += written.size;
                co_return failed;
            }
            continue;
        }
        outcome->bytes_written += written.size;
        if (written.error) {
            co_return transport_failure(written.error, "sending the request");
        }
        advance(pieces, written.size);
    }
    outcome->request_written = true;
    co_return std::nullopt;
}

asio::awaitable<std::optional<failure>> receive_head(connection* on, exchange_outcome* outcome) {
    for (;;) {
        const result<bool> complete = take_head(*on, *outcome);
        if (!complete) {
            co_return complete.error();
        }
        if (*complete) {
            co_return std::nullopt;
        }
        std::optional<failure> failed =
            co_await read_more(on, outcome, "the reply was awaited", "waiting for the reply");
        if (failed) {
            co_return failed;
        }
    }
}

failure too_large() {
    return {errc::response_too_large, "the reply is larger than the limit declared for it"};
}

// What was read together with the head belongs to the body: the only bytes that are copied.
result<std::uint64_t> drain(beast::flat_buffer& input, response_sink& sink, std::uint64_t at_most) {
    std::uint64_t moved = 0;
    while (input.size() > 0 && moved < at_most) {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), at_most - moved));
        const std::span<std::byte> room = sink.prepare(wanted);
        if (room.empty()) {
            return too_large();
        }
        const std::size_t size = asio::buffer_copy(asio::buffer(room.data(), room.size()), input.data(), wanted);
        input.consume(size);
        moved += size;
        const result<void> taken = sink.commit(size);
        if (!taken) {
            return taken.error();
        }
    }
    return moved;
}

// The sink is full. Whether that was all, only the end of the connection tells.
asio::awaitable<std::optional<failure>> expect_end(connection* on) {
    std::byte beyond{};
    const asio::mutable_buffer into(&beyond, 1);
    const io_result read = co_await on->stream->read_some(into);
    if (read.error == asio::error::eof) {
        co_return std::nullopt;
    }
    if (read.error) {
        co_return transport_failure(read.error, "reading the reply");
    }
    co_return too_large();
}

// Reads `length` bytes, or up to the end of the stream where there is no length, straight into the sink's memory.
asio::awaitable<std::optional<failure>> receive_in_place(connection* on, response_sink* sink,
                                                         std::optional<std::uint64_t> length) {
    std::uint64_t left = length.value_or(std::uint64_t(-1));
    const result<std::uint64_t> drained = drain(on->input, *sink, left);
    if (!drained) {
        co_return drained.error();
    }
    left -= *drained;
    const std::size_t step = length ? in_place_read_max : until_close_read_size;
    while (left > 0) {
        const std::span<std::byte> room = sink->prepare(static_cast<std::size_t>(std::min<std::uint64_t>(left, step)));
        if (room.empty() && !length) {
            co_return co_await expect_end(on);
        }
        if (room.empty()) {
            co_return too_large();
        }
        const asio::mutable_buffer into(room.data(), room.size());
        const io_result read = co_await on->stream->read_some(into);
        if (read.error == asio::error::eof && !length) {
            co_return std::nullopt;
        }
        if (read.error == asio::error::eof) {
            co_return end_of_stream("its reply was read");
        }
        if (read.error) {
            co_return transport_failure(read.error, "reading the reply");
        }
        const result<void> taken = sink->commit(read.size);
        if (!taken) {
            co_return taken.error();
        }
        left -= read.size;
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<failure>> receive_chunked(connection* on, response_sink* sink) {
    for (;;) {
        const result<bool> complete = on->reader->decode_chunks(on->input, *sink);
        if (!complete) {
            co_return complete.error();
        }
        if (*complete) {
            co_return std::nullopt;
        }
        if (on->input.size() > response_reader::head_limit) {
            co_return failure(errc::protocol, "the reply is not valid HTTP/1.1: a chunk's head has no end");
        }
        const asio::mutable_buffer room = on->input.prepare(chunked_read_size);
        const io_result read = co_await on->stream->read_some(room);
        on->input.commit(read.size);
        if (read.error == asio::error::eof) {
            co_return end_of_stream("its reply was read");
        }
        if (read.error) {
            co_return transport_failure(read.error, "reading the reply");
        }
    }
}

asio::awaitable<std::optional<failure>> receive(connection* on, response_sink* sink, exchange_outcome* outcome) {
    std::optional<failure> failed;
    if (!outcome->head) {
        failed = co_await receive_head(on, outcome);
    }
    if (failed) {
        co_return failed;
    }
    const result<void> begun = sink->begin(*outcome->head);
    if (!begun) {
        co_return begun.error();
    }
    switch (on->reader->framing()) {
        case body_framing::none: break;
        case body_framing::chunked: failed = co_await receive_chunked(on, sink); break;
        case body_framing::length: failed = co_await receive_in_place(on, sink, outcome->head->content_length); break;
        case body_framing::until_close: failed = co_await receive_in_place(on, sink, std::nullopt); break;
    }
    co_return failed;
}

class socket_transport final : public transport {
public:
    explicit socket_transport(std::shared_ptr<pool> shared) : pool_(std::move(shared)) {}
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
    static asio::awaitable<std::optional<failure>> wait_for_place(std::shared_ptr<pool> from, monotonic_time deadline);
    static asio::awaitable<std::optional<failure>> open_connection(std::shared_ptr<pool> from, checkout* place,
                                                                   monotonic_time give_up);
    static std::unique_ptr<checkout> take_kept(const std::shared_ptr<pool>& from, monotonic_time deadline,
                                               const asio::cancellation_state& state);
    static asio::awaitable<std::unique_ptr<checkout>> check_out(std::shared_ptr<pool> from, monotonic_time deadline,
                                                                std::optional<failure>* failed);
    static asio::awaitable<exchange_outcome> run(std::shared_ptr<pool> from,
                                                 std::shared_ptr<const transport_request> request, response_sink* sink,
                                                 monotonic_time deadline);

    std::shared_ptr<pool> pool_;
};

asio::awaitable<std::optional<failure>> socket_transport::wait_for_place(std::shared_ptr<pool> from,
                                                                         monotonic_time deadline) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) {
        co_return failure(errc::cancelled, "cancelled before the request was sent");
    }
    runtime::wait_queue::place place(from->line);
    while (!from->closed) {
        if (place.first() && (!from->idle.empty() || from->open < from->options.connections_max)) {
            co_return std::nullopt;
        }
        const wait_outcome outcome = co_await place.wait_until(deadline);
        if (outcome == wait_outcome::cancelled) {
            co_return failure(errc::cancelled, "cancelled while waiting for a connection");
        }
        if (outcome == wait_outcome::expired) {
            co_return failure(errc::timeout, "the deadline passed while waiting for a connection");
        }
    }
    co_return closed_meanwhile();
}

asio::awaitable<std::optional<failure>> socket_transport::open_connection(std::shared_ptr<pool> from, checkout* place,
                                                                          monotonic_time give_up) {
    result<tcp::socket> socket = co_await connect(from, give_up);
    if (!socket) {
        co_return socket.error();
    }
    auto stream =
        from->context ? make_tls_stream(std::move(*socket), from->context) : make_plain_stream(std::move(*socket));
    place->hold(std::make_unique<connection>(std::move(stream)), give_up);
    if (!from->context) {
        co_return std::nullopt;
    }
    byte_stream& opened = *place->get().stream;
    std::string host = from->target.host;
    std::optional<failure> failed = co_await opened.shake_hands(std::move(host));
    co_return from->closed ? closed_meanwhile() : failed;
}

// What check_out() comes to where nothing has to be waited for.
std::unique_ptr<checkout> socket_transport::take_kept(const std::shared_ptr<pool>& from, monotonic_time deadline,
                                                      const asio::cancellation_state& state) {
    if (from->closed || !from->line.empty() || is_cancelled(state)) {
        return nullptr;
    }
    std::unique_ptr<connection> kept = from->take_idle();
    return kept ? std::make_unique<checkout>(from, std::move(kept), deadline) : nullptr;
}

asio::awaitable<std::unique_ptr<checkout>> socket_transport::check_out(std::shared_ptr<pool> from,
                                                                       monotonic_time deadline,
                                                                       std::optional<failure>* failed) {
    *failed = co_await wait_for_place(from, deadline);
    if (*failed) {
        co_return nullptr;
    }
    std::unique_ptr<connection> kept = from->take_idle();
    if (kept) {
        co_return std::make_unique<checkout>(from, std::move(kept), deadline);
    }
    auto place = std::make_unique<checkout>(from);
    const monotonic_time give_up = std::min(deadline, deadline_after(from->env->now(), from->options.connect_timeout));
    *failed = co_await open_connection(from, place.get(), give_up);
    if (*failed) {
        if ((*failed)->kind == errc::timeout && give_up < deadline) {
            (*failed)->kind = errc::network;  // Not the caller's time is up, only the server's.
        }
        co_return nullptr;
    }
    place->set_deadline(deadline);
    co_return place;
}

asio::awaitable<exchange_outcome> socket_transport::run(std::shared_ptr<pool> from,
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
        outcome.error = failure(errc::timeout, "the deadline passed before the request was sent");
        co_return outcome;
    }
    on->reader.emplace();
    outcome.error = co_await send(from, on, request, &outcome);
    if (!outcome.error || (outcome.error->kind == errc::network && !on->ended)) {
        // A server may answer and close before it has read everything, a 413 for instance: the answer counts.
        std::optional<failure> failed = co_await receive(on, sink, &outcome);
        if (!failed) {
            outcome.error.reset();
        } else if (!outcome.error) {
            outcome.error = std::move(failed);
        }
    }
    if (from->closed && outcome.error) {
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
    auto shared = std::make_shared<pool>(std::move(executor), std::move(env), std::move(to), std::move(options),
                                         std::move(context));
    return std::shared_ptr<transport>(std::make_shared<socket_transport>(std::move(shared)));
}

}  // namespace vembed::http
