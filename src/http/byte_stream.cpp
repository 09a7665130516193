#include "http/byte_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <openssl/ssl.h>

namespace vembed::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// The peer has not ended the connection, as far as has arrived here.
bool still_connected(int fd) noexcept {
    pollfd seen{};
    seen.fd = fd;
    seen.events = POLLRDHUP;
    return ::poll(&seen, 1, 0) >= 0 && (seen.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0;
}

// What there is to read without waiting and without taking it.
class unread_bytes {
public:
    unread_bytes(int fd, std::span<unsigned char> into) noexcept {
        const ssize_t got = ::recv(fd, into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
        none = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        bytes = got > 0 ? into.first(static_cast<std::size_t>(got)) : std::span<unsigned char>();
    }

    bool none = false;  // The connection stands, and nothing arrived.
    std::span<const unsigned char> bytes;
};

// TLS records that arrive unasked are session tickets, or the alert that ends the connection. An encrypted alert looks
// like data, but nothing else is as short (RFC 8446 sections 5.2 and 6).
bool announces_end(std::span<const unsigned char> records) noexcept {
    constexpr std::size_t head_size = 5;
    constexpr unsigned char alert = 21;
    constexpr unsigned char data = 23;
    constexpr std::size_t alert_size_max = 19;
    while (records.size() >= head_size) {
        const std::size_t size = std::size_t{records[3]} << 8 | records[4];
        if (records[0] == alert || (records[0] == data && size <= alert_size_max)) {
            return true;
        }
        records = records.subspan(std::min(head_size + size, records.size()));
    }
    return false;
}

void close_socket(tcp::socket& socket) noexcept {
    boost::system::error_code ignored;
    // Closing is all that is wanted; there is nobody left to tell about a failure.
    socket.close(ignored);
}

class plain_stream final : public byte_stream {
public:
    explicit plain_stream(tcp::socket socket) : stream_(std::move(socket)) {}

    void expire_after(std::chrono::nanoseconds delay) override { stream_.expires_after(delay); }

    asio::awaitable<io_result> read_some(asio::mutable_buffer into) override {
        const auto [error, size] = co_await stream_.async_read_some(into, as_result);
        co_return io_result(error, size);
    }

    asio::awaitable<io_result> write_some(gather pieces) override {
        const auto [error, size] = co_await stream_.async_write_some(pieces, as_result);
        co_return io_result(error, size);
    }

    asio::awaitable<std::optional<failure>> shake_hands(std::string) override { co_return std::nullopt; }

    // Bytes that nobody asked for would be taken for the next reply.
    bool alive() override {
        std::array<unsigned char, 1> first{};
        return unread_bytes(stream_.socket().native_handle(), first).none;
    }
    void close() noexcept override { close_socket(stream_.socket()); }

private:
    beast::tcp_stream stream_;
};

// One write of a counted_stream.
template <class Buffers>
class counted_write {
public:
    counted_write(beast::tcp_stream& stream, std::shared_ptr<std::uint64_t> written, const Buffers& from)
        : stream_(&stream), written_(std::move(written)), from_(from) {}

    template <class Self>
    void operator()(Self& self) {
        self.reset_cancellation_state(asio::enable_total_cancellation());
        stream_->async_write_some(from_, std::move(self));
    }

    template <class Self>
    void operator()(Self& self, boost::system::error_code error, std::size_t size) {
        *written_ += size;
        self.complete(error, size);
    }

private:
    beast::tcp_stream* stream_;
    std::shared_ptr<std::uint64_t> written_;
    Buffers from_;
};

// A TCP stream that remembers how many bytes it wrote. TLS says nothing about a write that failed or was cancelled
// halfway, and a request of which a record left must not pass for one that was not sent.
class counted_stream {
public:
    using executor_type = beast::tcp_stream::executor_type;
    using lowest_layer_type = beast::tcp_stream::socket_type;

    explicit counted_stream(tcp::socket socket)
        : stream_(std::move(socket)), written_(std::make_shared<std::uint64_t>(0)) {}

    executor_type get_executor() noexcept { return stream_.get_executor(); }
    lowest_layer_type& lowest_layer() noexcept { return stream_.socket(); }
    const lowest_layer_type& lowest_layer() const noexcept { return stream_.socket(); }
    beast::tcp_stream& stream() noexcept { return stream_; }
    [[nodiscard]] std::uint64_t written() const noexcept { return *written_; }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& into, Token&& token) {
        return stream_.async_read_some(into, std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token) {
        return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
            counted_write<Buffers>(stream_, written_, from), token, stream_);
    }

private:
    beast::tcp_stream stream_;
    std::shared_ptr<std::uint64_t> written_;
};

class tls_stream final : public byte_stream {
public:
    tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
        : context_(std::move(context)), stream_(counted_stream(std::move(socket)), *context_) {}

    void expire_after(std::chrono::nanoseconds delay) override { socket_stream().expires_after(delay); }

    asio::awaitable<io_result> read_some(asio::mutable_buffer into) override {
        auto [error, size] = co_await stream_.async_read_some(into, as_result);
        if (error == asio::ssl::error::stream_truncated) {
            // A body that ends with the connection must not be taken for whole when the peer did not say it ended.
            error = asio::error::connection_reset;
        }
        co_return io_result(error, size);
    }

    asio::awaitable<io_result> write_some(gather pieces) override {
        const std::uint64_t before = stream_.next_layer().written();
        const auto [error, size] = co_await stream_.async_write_some(pieces, as_result);
        const std::uint64_t left_here = stream_.next_layer().written() - before;
        co_return io_result(error, error ? static_cast<std::size_t>(left_here) : size);
    }

    bool alive() override {
        const int fd = socket_stream().socket().native_handle();
        std::array<unsigned char, 2048> first;
        const unread_bytes unread(fd, first);
        return unread.none || (!unread.bytes.empty() && still_connected(fd) && !announces_end(unread.bytes));
    }

    void close() noexcept override { close_socket(socket_stream().socket()); }

    asio::awaitable<std::optional<failure>> shake_hands(std::string host) override {
        boost::system::error_code not_an_address;
        asio::ip::make_address(host, not_an_address);
        // SNI carries names only (RFC 6066 section 3).
        if (not_an_address && SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str()) != 1) {
            co_return failure(errc::network, "the name " + host + " cannot be sent in a TLS handshake");
        }
        stream_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        stream_.set_verify_callback(asio::ssl::host_name_verification(host));
        const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::client, as_result);
        if (error == asio::error::operation_aborted) {
            co_return failure(errc::cancelled, "cancelled during the TLS handshake with " + host);
        }
        if (error == beast::error::timeout) {
            co_return failure(errc::timeout, "the deadline passed during the TLS handshake with " + host);
        }
        if (error) {
            const std::string why = verify_error();
            co_return failure(errc::network, "the TLS handshake with " + host + " failed: " + error.message() +
                                                 (why.empty() ? "" : " (certificate: " + why + ")"));
        }
        co_return std::nullopt;
    }

private:
    [[nodiscard]] std::string verify_error() {
        const long code = SSL_get_verify_result(stream_.native_handle());
        return code == X509_V_OK ? std::string() : std::string(X509_verify_cert_error_string(code));
    }

    beast::tcp_stream& socket_stream() noexcept { return stream_.next_layer().stream(); }

    std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<counted_stream> stream_;
};

}  // namespace

result<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& ca_file) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    if (SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION) != 1) {
        return failure(errc::invalid_argument, "this OpenSSL cannot be held to TLS 1.2 or later");
    }
    // Idle connections give their 34 KB of record buffers back.
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    boost::system::error_code error;
    if (ca_file.empty()) {
        context->set_default_verify_paths(error);
    } else {
        context->load_verify_file(ca_file, error);
    }
    if (error) {
        return failure(errc::invalid_argument, "cannot load the certificate authorities" +
                                                   (ca_file.empty() ? std::string() : " of " + ca_file) + ": " +
                                                   error.message());
    }
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    return context;
}

std::unique_ptr<byte_stream> make_plain_stream(tcp::socket socket) {
    return std::make_unique<plain_stream>(std::move(socket));
}

std::unique_ptr<byte_stream> make_tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context) {
    return std::make_unique<tls_stream>(std::move(socket), std::move(context));
}

}  // namespace vembed::http
