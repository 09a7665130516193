#pragma once
/// The pool of connections to one origin: idle ones, busy ones, and the line of exchanges that wait for one.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <vembed/runtime/environment.hpp>

#include "http/origin.hpp"
#include "http/socket/byte_stream.hpp"
#include "http/socket/name_lookup.hpp"
#include "http/socket/response_reader.hpp"
#include "http/socket/socket_transport.hpp"
#include "runtime/alarm.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::http {

namespace asio = boost::asio;

/// The bytes that are read at once if a head is expected; heads are small. An idle connection keeps no more memory.
inline constexpr std::size_t head_read_size = 4 * 1024;

/// A live connection and the state of its exchange.
class connection {
public:
    explicit connection(std::unique_ptr<byte_stream> connected) : stream(std::move(connected)) {}

    std::unique_ptr<byte_stream> stream;
    boost::beast::flat_buffer input;
    std::string head;                       ///< The head of the request being sent, without the key.
    std::optional<response_reader> reader;  ///< Reads the current response.
    monotonic_time idle_since{};
    bool used_before = false;
    bool ended = false;  ///< Nothing more can be read; another read might never end.
    std::multimap<monotonic_time, connection*>::iterator due;  ///< The entry in the pool's `busy_`.
};

/// Each connection takes a place: at most `connections_max` are idle, busy or being made. An exchange that finds no
/// free place waits in line. Everything runs on the executor, on one thread at a time.
class connection_pool : public std::enable_shared_from_this<connection_pool> {
public:
    connection_pool(asio::any_io_executor on, std::shared_ptr<environment> with, origin to,
                    socket_transport_options chosen, std::shared_ptr<asio::ssl::context> tls);

    const asio::any_io_executor executor;
    const std::shared_ptr<environment> env;
    const origin target;
    const socket_transport_options options;
    const std::shared_ptr<asio::ssl::context> context;  ///< Null if the origin has no TLS.
    std::shared_ptr<name_lookup> looking_up;            ///< The last look-up of the target's name; null before one.
    asio::ip::tcp::endpoint worked;                     ///< The address of the last successful connection.

    /// The first in line may continue if has_place().
    [[nodiscard]] runtime::wait_queue& line() noexcept { return line_; }
    [[nodiscard]] bool has_place() const noexcept;

    /// An idle connection that is alive, or null if there is none. Its place goes with it.
    std::unique_ptr<connection> take_idle();

    /// Call if a connection that has a place got no file descriptor because the process has no more of them. True if
    /// others of this pool are open, so that there will be one when the first of these ends; until then has_place() is
    /// false.
    bool wait_for_descriptor() noexcept;
    /// Call when a connection was made: there are descriptors again.
    void found_descriptor() noexcept { descriptors_seen_max_.reset(); }

    /// The number of connections that the options and the limit of open files allow.
    [[nodiscard]] std::uint64_t connections_at_once() const;

    /// Ends all exchanges and wakes those that wait.
    void close() noexcept;
    [[nodiscard]] bool closed() const noexcept { return closed_; }

private:
    friend class checkout;
    friend class interruption;

    void drop_stale();
    void add_busy(connection& working, monotonic_time deadline);
    void put_off(connection& working, monotonic_time deadline);
    void watch_until(monotonic_time deadline);
    void remove_busy(connection& working);
    void end_overdue();
    void keep(std::unique_ptr<connection> rested);

    runtime::wait_queue line_;
    runtime::alarm watch_;                             ///< Set to the earliest deadline of `busy_`, or before it.
    std::vector<std::unique_ptr<connection>> idle_;    ///< The one used last is at the end.
    std::multimap<monotonic_time, connection*> busy_;  ///< Sorted by the time when their exchange has to end.
    std::set<const std::function<void()>*> interruptions_;
    std::uint32_t open_ = 0;                             ///< The number of idle, busy and connecting ones.
    std::optional<std::uint64_t> descriptors_seen_max_;  ///< The open connections when no descriptor was left.
    bool closed_ = false;
};

/// Something that close() has to end although it is not a connection yet. It must not outlive the pool.
class interruption {
public:
    interruption(connection_pool& from, std::function<void()> end) : pool_(&from), end_(std::move(end)) {
        pool_->interruptions_.insert(&end_);
    }
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;
    ~interruption() { pool_->interruptions_.erase(&end_); }

private:
    connection_pool* pool_;
    std::function<void()> end_;
};

/// Holds one of the pool's places for as long as an exchange needs it.
class checkout {
public:
    /// Takes a place without a connection, which must then be made.
    explicit checkout(std::shared_ptr<connection_pool> from);
    checkout(std::shared_ptr<connection_pool> from, std::unique_ptr<connection> taken, monotonic_time deadline);
    checkout(const checkout&) = delete;
    checkout& operator=(const checkout&) = delete;

    /// Closes the connection if it was not given back, and lets the first in line continue.
    ~checkout();

    /// Takes over the connection; its exchange has to end at the deadline.
    void hold(std::unique_ptr<connection> taken, monotonic_time deadline);
    void set_deadline(monotonic_time deadline);

    /// Call if the exchange ended cleanly: others may use the connection.
    void give_back();

    [[nodiscard]] connection& get() const noexcept { return *connection_; }

private:
    std::shared_ptr<connection_pool> pool_;
    std::unique_ptr<connection> connection_;
};

}  // namespace vembed::http
