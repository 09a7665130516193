#include "http/socket/byte_stream.hpp"

#include <sys/socket.h>

#include <cerrno>

#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>

#include "runtime/awaited_result.hpp"

namespace vembed::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;

class plain_stream final : public byte_stream {
public:
    explicit plain_stream(tcp::socket socket) : socket_(std::move(socket)) {
        boost::system::error_code ignored;
        // If the socket cannot be set, the first write returns the error.
        socket_.non_blocking(true, ignored);
    }

    asio::awaitable<std::optional<error>> shake_hands(std::string) override { co_return std::nullopt; }

    asio::awaitable<io_result> read_some(asio::mutable_buffer into) override {
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(state)) {
            co_return io_result(asio::error::operation_aborted, 0);
        }
        const auto [error, size] = co_await socket_.async_read_some(into, as_result);
        co_return io_result(reason(error), size);
    }

    asio::awaitable<io_result> write_some(gather pieces, heed whom) override {
        for (;;) {
            const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
            if (is_cancelled(state)) {
                co_return io_result(asio::error::operation_aborted, 0);
            }
            boost::system::error_code error;
            const std::size_t size = socket_.write_some(pieces, error);
            if (error != asio::error::would_block) {
                co_return io_result(reason(error), size);
            }
            if (whom == heed::peer && !alive()) {
                io_result stopped;
                stopped.peer_spoke = true;
                co_return stopped;
            }
            if (whom == heed::peer) {
                error = co_await wait_for_either(&socket_);
            } else {
                const auto [waited] = co_await socket_.async_wait(tcp::socket::wait_write, as_result);
                error = waited;
            }
            if (error) {
                co_return io_result(reason(error), 0);
            }
        }
    }

    // Unrequested bytes would be taken for the next response.
    bool alive() override {
        char first = 0;
        const ssize_t got = ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    void time_out() noexcept override {
        timed_out_ = true;
        close();
    }

    void close() noexcept override {
        boost::system::error_code ignored;
        // An error of closing is ignored, because nobody could use it.
        socket_.close(ignored);
    }

private:
    [[nodiscard]] boost::system::error_code reason(const boost::system::error_code& error) const {
        return error && timed_out_ ? make_error_code(beast::error::timeout) : error;
    }

    tcp::socket socket_;
    bool timed_out_ = false;
};

}  // namespace

asio::awaitable<boost::system::error_code> wait_for_either(tcp::socket* socket) {
    auto both = asio::experimental::make_parallel_group(socket->async_wait(tcp::socket::wait_read, asio::deferred),
                                                        socket->async_wait(tcp::socket::wait_write, asio::deferred));
    const auto [order, readable, writable] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    // The wait that ended first cancelled the other.
    co_return order[0] == 0 ? readable : writable;
}

std::unique_ptr<byte_stream> make_plain_stream(tcp::socket socket) {
    return std::make_unique<plain_stream>(std::move(socket));
}

}  // namespace vembed::http
