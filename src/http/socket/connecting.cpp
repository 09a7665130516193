#include "http/socket/connecting.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "http/socket/name_lookup.hpp"
#include "http/socket/transport_failure.hpp"
#include "runtime/awaited_result.hpp"

namespace vembed::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;

std::chrono::nanoseconds time_left(const connection_pool& from, monotonic_time deadline) {
    constexpr std::chrono::nanoseconds longest = std::chrono::hours(24);
    return std::clamp<std::chrono::nanoseconds>(deadline - from.env->now(), std::chrono::nanoseconds(1), longest);
}

bool lacks_descriptor(const boost::system::error_code& error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system;
}

// Exchanges that need the addresses at the same time share one lookup.
std::shared_ptr<name_lookup> lookup_of(connection_pool& from) {
    if (!from.looking_up || from.looking_up->finished()) {
        from.looking_up = name_lookup::begin(from.target.host, from.target.port);
    }
    return from.looking_up;
}

asio::awaitable<result<std::vector<tcp::endpoint>>> resolve(std::shared_ptr<connection_pool> from,
                                                            monotonic_time give_up, bool* no_descriptor) {
    const std::shared_ptr<timer> ended = from->env->make_timer(from->executor);
    const std::function<void()> wake = [ended] { ended->wake(); };
    interruption on_close(*from, wake);
    const std::shared_ptr<name_lookup> under_way = lookup_of(*from);
    const lookup_watch watching(under_way, from->executor, wake);
    const wait_outcome waited = co_await ended->wait_until(give_up);
    if (from->closed()) {
        co_return closed_meanwhile();
    }
    if (waited == wait_outcome::cancelled) {
        co_return error(errc::cancelled, "cancelled while resolving " + from->target.host);
    }
    if (!under_way->finished()) {
        co_return error(errc::timeout, "the deadline passed while resolving " + from->target.host);
    }
    lookup_answer found = under_way->answer();
    if (found.error) {
        *no_descriptor = lacks_descriptor(found.error);
        co_return error(errc::network, "cannot resolve " + from->target.host + ": " + found.error.message());
    }
    co_return std::move(found.endpoints);
}

// The addresses in the order in which they are tried: the one that worked last comes first.
asio::awaitable<result<std::vector<tcp::endpoint>>> find_addresses(std::shared_ptr<connection_pool> from,
                                                                   monotonic_time give_up, bool* no_descriptor) {
    std::vector<tcp::endpoint> found = from->options.addresses;
    if (found.empty()) {
        result<std::vector<tcp::endpoint>> resolved = co_await resolve(from, give_up, no_descriptor);
        if (!resolved) {
            co_return resolved.error();
        }
        found = std::move(*resolved);
    }
    std::stable_partition(found.begin(), found.end(), [&](const tcp::endpoint& a) { return a == from->worked; });
    co_return found;
}

asio::awaitable<result<tcp::socket>> connect_to(std::shared_ptr<connection_pool> from, tcp::endpoint address,
                                                monotonic_time give_up, bool* no_descriptor) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) {
        co_return error(errc::cancelled, "cancelled before connecting to " + from->target.host_field);
    }
    beast::tcp_stream stream(from->executor);
    interruption on_close(*from, [&stream] { stream.close(); });
    stream.expires_after(time_left(*from, give_up));
    const auto [error] = co_await stream.async_connect(address, as_result);
    if (from->closed()) {
        co_return closed_meanwhile();
    }
    if (error) {
        *no_descriptor = lacks_descriptor(error);
        co_return transport_failure(error, "connecting to " + from->target.host_field);
    }
    tcp::socket socket = stream.release_socket();
    boost::system::error_code ignored;
    // If the option cannot be set, the link still works, but slower.
    socket.set_option(tcp::no_delay(true), ignored);
    co_return socket;
}

// An address that does not answer must not use up the time of the addresses after it.
monotonic_time end_of_turn(const connection_pool& from, std::size_t addresses_left, monotonic_time give_up) {
    if (addresses_left == 1) {
        return give_up;
    }
    const monotonic_time now = from.env->now();
    const std::chrono::nanoseconds share = time_left(from, give_up) / addresses_left;
    return now + std::min<std::chrono::nanoseconds>(share, from.options.address_timeout);
}

}  // namespace

asio::awaitable<result<tcp::socket>> connect(std::shared_ptr<connection_pool> from, monotonic_time give_up,
                                             bool* no_descriptor) {
    const result<std::vector<tcp::endpoint>> addresses = co_await find_addresses(from, give_up, no_descriptor);
    if (!addresses) {
        co_return addresses.error();
    }
    error last(errc::network, from->target.host + " has no address");
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        const tcp::endpoint address = (*addresses)[i];
        const monotonic_time turn = end_of_turn(*from, addresses->size() - i, give_up);
        result<tcp::socket> made = co_await connect_to(from, address, turn, no_descriptor);
        if (made) {
            from->worked = address;
            co_return made;
        }
        if (made.error().kind == errc::cancelled || *no_descriptor) {
            co_return made;
        }
        last = made.error();
    }
    co_return last;
}

}  // namespace vembed::http
