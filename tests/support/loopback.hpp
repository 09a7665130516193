#pragma once
/// A server on a real loopback socket whose connections follow a script, in the same thread as the client under test.

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace vembed::testing_support {

namespace asio = boost::asio;

/// The server's end of one connection.
class peer {
public:
    peer(asio::ip::tcp::socket socket, asio::ssl::context* tls) : socket_(std::move(socket)) {
        if (tls != nullptr) {
            tls_.emplace(socket_, *tls);
        }
    }

    /// Everything read so far; `ahead` is the part that read_request() has not handed out.
    std::string seen;
    std::string ahead;

    asio::awaitable<bool> shake_hands() {
        const auto [error] =
            co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
        co_return !error;
    }

    /// Reads at most `most` bytes; 0 at the end of the stream or on any error.
    asio::awaitable<std::size_t> read_some(std::size_t most = 65536) {
        std::vector<char> block(most);
        std::size_t size = 0;
        if (tls_) {
            auto [error, got] =
                co_await tls_->async_read_some(asio::buffer(block), asio::as_tuple(asio::use_awaitable));
            size = got;
        } else {
            auto [error, got] =
                co_await socket_.async_read_some(asio::buffer(block), asio::as_tuple(asio::use_awaitable));
            size = got;
        }
        seen.append(block.data(), size);
        ahead.append(block.data(), size);
        co_return size;
    }

    /// The next whole request, or nothing if the client closed the connection before.
    asio::awaitable<std::optional<std::string>> read_request() {
        for (;;) {
            const std::size_t size = request_size(ahead);
            if (size > 0 && ahead.size() >= size) {
                std::string request = ahead.substr(0, size);
                ahead.erase(0, size);
                co_return request;
            }
            const std::size_t got = co_await read_some();
            if (got == 0) {
                co_return std::nullopt;
            }
        }
    }

    asio::awaitable<bool> write(std::string text) {
        if (tls_) {
            const auto [error, size] =
                co_await asio::async_write(*tls_, asio::buffer(text), asio::as_tuple(asio::use_awaitable));
            co_return !error;
        }
        const auto [error, size] =
            co_await asio::async_write(socket_, asio::buffer(text), asio::as_tuple(asio::use_awaitable));
        co_return !error;
    }

    /// Ends the connection in order: close_notify if it is TLS, then the end of the stream, without waiting for the
    /// client's close_notify.
    void end() {
        if (tls_) {
            notify_close();
        }
        cut();
    }

    /// Sends only close_notify: nothing more will come, but the stream below TLS stays open.
    void notify_close() {
        tls_->async_shutdown([](const boost::system::error_code&) {});
    }

    /// Puts a session ticket before the next bytes written.
    bool send_ticket() { return SSL_new_session_ticket(tls_->native_handle()) == 1; }

    /// Ends the stream below TLS without close_notify.
    void cut() {
        boost::system::error_code ignored;
        socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

    /// Closes the connection with a reset.
    void reset() {
        boost::system::error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

    [[nodiscard]] asio::ip::tcp::socket& socket() noexcept { return socket_; }

private:
    // The size of the request at the front of `text`; 0 if its head is not complete.
    static std::size_t request_size(const std::string& text) {
        const std::size_t end = text.find("\r\n\r\n");
        if (end == std::string::npos) {
            return 0;
        }
        const std::size_t length = text.find("Content-Length: ");
        const bool has_body = length != std::string::npos && length < end;
        return end + 4 + (has_body ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0);
    }

    asio::ip::tcp::socket socket_;
    std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls_;
};

using peer_ptr = std::shared_ptr<peer>;

/// The server's behaviour on a connection. `index` counts connections from 0.
using script = std::function<asio::awaitable<void>(peer_ptr, std::size_t index)>;

/// It must outlive the run of its context.
class loopback_server {
public:
    loopback_server(asio::io_context& context, script what, asio::ssl::context* tls = nullptr)
        : acceptor_(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          script_(std::move(what)),
          tls_(tls) {
        asio::co_spawn(context, accept(this), [](const std::exception_ptr& thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        });
    }
    loopback_server(const loopback_server&) = delete;
    loopback_server& operator=(const loopback_server&) = delete;

    [[nodiscard]] std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

    /// All connections so far. They stay readable after they ended.
    std::vector<peer_ptr> peers;

private:
    static asio::awaitable<void> accept(loopback_server* self) {
        for (;;) {
            auto [error, socket] = co_await self->acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
            if (error) {
                co_return;
            }
            socket.set_option(asio::ip::tcp::no_delay(true));  // Bytes arrive before the script goes on.
            auto connected = std::make_shared<peer>(std::move(socket), self->tls_);
            self->peers.push_back(connected);
            asio::co_spawn(self->acceptor_.get_executor(), serve(self, connected, self->peers.size() - 1),
                           [](const std::exception_ptr& thrown) {
                               if (thrown) {
                                   std::rethrow_exception(thrown);
                               }
                           });
        }
    }

    static asio::awaitable<void> serve(loopback_server* self, peer_ptr connected, std::size_t index) {
        if (self->tls_ != nullptr) {
            const bool shaken = co_await connected->shake_hands();
            if (!shaken) {
                co_return;
            }
        }
        co_await self->script_(connected, index);
    }

    asio::ip::tcp::acceptor acceptor_;
    script script_;
    asio::ssl::context* tls_;
};

/// A running operation on a context; it can be cancelled and waited for.
template <class T>
class running {
public:
    running(asio::io_context& context, asio::awaitable<T> operation)
        : context_(&context), signal_(std::make_shared<asio::cancellation_signal>()) {
        // The signal must live until the coroutine is destroyed, which is later than its value comes.
        auto on_end = [signal = signal_](const std::exception_ptr& thrown) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        };
        asio::co_spawn(context, keep(std::move(operation), value_),
                       asio::bind_cancellation_slot(signal_->slot(), std::move(on_end)));
    }

    [[nodiscard]] bool ended() const noexcept { return value_->has_value(); }
    void cancel() { signal_->emit(asio::cancellation_type::terminal); }

    /// Runs the context until the operation ends. Throws if nothing happens for 20 s.
    T wait() {
        context_->restart();
        while (!ended()) {
            if (context_->run_one_for(std::chrono::seconds(20)) == 0) {
                throw std::runtime_error("the operation under test does not end");
            }
        }
        return std::move(**value_);
    }

private:
    static asio::awaitable<void> keep(asio::awaitable<T> operation, std::shared_ptr<std::optional<T>> into) {
        co_await asio::this_coro::throw_if_cancelled(false);
        into->emplace(co_await std::move(operation));
    }

    asio::io_context* context_;
    std::shared_ptr<asio::cancellation_signal> signal_;
    std::shared_ptr<std::optional<T>> value_ = std::make_shared<std::optional<T>>();
};

template <class T>
T run(asio::io_context& context, asio::awaitable<T> operation) {
    running<T> started(context, std::move(operation));
    return started.wait();
}

}  // namespace vembed::testing_support
