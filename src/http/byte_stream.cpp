#include "http/byte_stream.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <openssl/ssl.h>

namespace vembed::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Nothing to read yet: open. End of stream: closed. Bytes nobody asked for: only TLS has a reason to send them
// (session tickets).
bool looks_alive(int fd, bool bytes_are_fine) noexcept {
    char byte = 0;
    const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0) {
        return bytes_are_fine;
    }
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
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

    bool alive() override { return looks_alive(stream_.socket().native_handle(), false); }
    void close() noexcept override { close_socket(stream_.socket()); }

private:
    beast::tcp_stream stream_;
};

class tls_stream final : public byte_stream {
public:
    tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
        : context_(std::move(context)), stream_(beast::tcp_stream(std::move(socket)), *context_) {}

    void expire_after(std::chrono::nanoseconds delay) override { stream_.next_layer().expires_after(delay); }

    asio::awaitable<io_result> read_some(asio::mutable_buffer into) override {
        auto [error, size] = co_await stream_.async_read_some(into, as_result);
        if (error == asio::ssl::error::stream_truncated) {
            // A body that ends with the connection must not be taken for whole when the peer did not say it ended.
            error = asio::error::connection_reset;
        }
        co_return io_result(error, size);
    }

    asio::awaitable<io_result> write_some(gather pieces) override {
        const auto [error, size] = co_await stream_.async_write_some(pieces, as_result);
        co_return io_result(error, size);
    }

    bool alive() override { return looks_alive(stream_.next_layer().socket().native_handle(), true); }
    void close() noexcept override { close_socket(stream_.next_layer().socket()); }

    asio::awaitable<boost::system::error_code> shake_hands(std::string host) {
        boost::system::error_code not_an_address;
        asio::ip::make_address(host, not_an_address);
        // SNI carries names only (RFC 6066 section 3).
        if (not_an_address && SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str()) != 1) {
            co_return make_error_code(boost::system::errc::not_enough_memory);
        }
        stream_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        stream_.set_verify_callback(asio::ssl::host_name_verification(host));
        const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::client, as_result);
        co_return error;
    }

    [[nodiscard]] std::string verify_error() {
        const long code = SSL_get_verify_result(stream_.native_handle());
        return code == X509_V_OK ? std::string() : std::string(X509_verify_cert_error_string(code));
    }

private:
    std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<beast::tcp_stream> stream_;
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

asio::awaitable<result<std::unique_ptr<byte_stream>>> make_tls_stream(tcp::socket socket,
                                                                      std::shared_ptr<asio::ssl::context> context,
                                                                      std::string host,
                                                                      std::chrono::nanoseconds timeout) {
    auto stream = std::make_unique<tls_stream>(std::move(socket), std::move(context));
    stream->expire_after(timeout);
    const boost::system::error_code error = co_await stream->shake_hands(host);
    if (error == asio::error::operation_aborted) {
        co_return failure(errc::cancelled, "cancelled during the TLS handshake");
    }
    if (error) {
        const std::string why = stream->verify_error();
        co_return failure(errc::network, "the TLS handshake with " + host + " failed: " + error.message() +
                                             (why.empty() ? "" : " (certificate: " + why + ")"));
    }
    co_return std::unique_ptr<byte_stream>(std::move(stream));
}

}  // namespace vembed::http
