#pragma once
/// The connections to one origin: those that rest, those at work, and who may have one.

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

#include "http/byte_stream.hpp"
#include "http/name_lookup.hpp"
#include "http/origin.hpp"
#include "http/response_reader.hpp"
#include "http/socket_transport.hpp"
#include "runtime/alarm.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::http {

namespace asio = boost::asio;

/// What is read at once where a head is expected: heads are small. An idle connection keeps no more than that.
inline constexpr std::size_t head_read_size = 4 * 1024;

/// A live connection and what is under way on it.
class connection {
public:
    explicit connection(std::unique_ptr<byte_stream> connected) : stream(std::move(connected)) {}

    std::unique_ptr<byte_stream> stream;
    boost::beast::flat_buffer input;
    std::string head;                       ///< Of the request being sent, without the key.
    std::optional<response_reader> reader;  ///< Of the reply being read.
    monotonic_time idle_since{};
    bool used_before = false;
    bool ended = false;  ///< Nothing more can be read; another read might wait for ever.
    std::multimap<monotonic_time, connection*>::iterator due;  ///< Where the pool's busy ones have it.
};

/// Connections are places: `connections_max` at most are idle, at work or being made. Whoever finds none free waits in
/// line. All of it runs on the executor, on one thread at a time.
class connection_pool : public std::enable_shared_from_this<connection_pool> {
public:
    connection_pool(asio::any_io_executor on, std::shared_ptr<environment> with, origin to,
                    socket_transport_options chosen, std::shared_ptr<asio::ssl::context> tls);

    const asio::any_io_executor executor;
    const std::shared_ptr<environment> env;
    const origin target;
    const socket_transport_options options;
    const std::shared_ptr<asio::ssl::context> context;  ///< Null: no TLS.
    std::shared_ptr<name_lookup> looking_up;            ///< The last look-up of the target's name; null before one.
    asio::ip::tcp::endpoint worked;                     ///< The address of the last connection that came about.

    /// Whoever is first in line may come in where has_place().
    [[nodiscard]] runtime::wait_queue& line() noexcept { return line_; }
    [[nodiscard]] bool has_place() const noexcept;

    /// An idle connection that is alive, or none. Its place goes with it.
    std::unique_ptr<connection> take_idle();

    /// A connection that has a place got no file descriptor: the process has no more of them. True if others of this
    /// pool are open, so that there will be one when the first of these ends; until then has_place() is false.
    bool wait_for_descriptor() noexcept;
    /// A connection was made: there are descriptors again.
    void found_descriptor() noexcept { descriptors_seen_max_.reset(); }

    /// As many as the options and the limit of open files allow.
    [[nodiscard]] std::uint64_t connections_at_once() const;

    /// Ends whatever is under way; whoever waits is told.
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
    std::vector<std::unique_ptr<connection>> idle_;    ///< The one used last at the end.
    std::multimap<monotonic_time, connection*> busy_;  ///< By the time when their exchange has to end.
    std::set<const std::function<void()>*> interruptions_;
    std::uint32_t open_ = 0;                             ///< Idle, busy and being connected.
    std::optional<std::uint64_t> descriptors_seen_max_;  ///< As many were open when there was no descriptor for more.
    bool closed_ = false;
};

/// Something that close() has to end although it is not a connection yet. Must not outlive the pool.
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
    /// A place without a connection, which has to be made.
    explicit checkout(std::shared_ptr<connection_pool> from);
    checkout(std::shared_ptr<connection_pool> from, std::unique_ptr<connection> taken, monotonic_time deadline);
    checkout(const checkout&) = delete;
    checkout& operator=(const checkout&) = delete;

    /// Closes the connection that was not given back, and lets the first in line come.
    ~checkout();

    /// What the connection does from now on has to end at the deadline.
    void hold(std::unique_ptr<connection> taken, monotonic_time deadline);
    void set_deadline(monotonic_time deadline);

    /// The exchange ended cleanly: others may use the connection.
    void give_back();

    [[nodiscard]] connection& get() const noexcept { return *connection_; }

private:
    std::shared_ptr<connection_pool> pool_;
    std::unique_ptr<connection> connection_;
};

}  // namespace vembed::http
