#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>

#include "http/socket/byte_stream.hpp"
#include "http/socket/transport_failure.hpp"
#include "runtime/awaited_result.hpp"

namespace vembed::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// Four records are read at a time: one system call for 64 KB. OpenSSL frees the memory while a connection waits.
constexpr std::size_t read_ahead_size = 64 * 1024 + 1024;
// The most bytes that one read or write transfers before other coroutines get their turn.
constexpr std::size_t turn_size = 256 * 1024;
constexpr std::size_t record_size = 16 * 1024;

// OpenSSL's access to the socket: it does not wait, raises no signals and counts the bytes sent. TLS does not report
// how much of a failed or cancelled write was sent, and a request of which a record was sent must not count as not
// sent.
class socket_link {
public:
    int fd = -1;
    std::uint64_t written = 0;
    int error = 0;       // The errno of the system call that failed.
    bool ended = false;  // The peer sends no more.
};

bool would_block() noexcept {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int read_link(BIO* bio, char* into, int size) {
    auto* link = static_cast<socket_link*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t got = ::recv(link->fd, into, static_cast<std::size_t>(std::max(size, 0)), MSG_DONTWAIT);
    if (got < 0 && would_block()) {
        BIO_set_retry_read(bio);
    } else if (got < 0) {
        link->error = errno;
    }
    link->ended = got == 0 && size > 0;
    return static_cast<int>(got);
}

int write_link(BIO* bio, const char* from, int size) {
    auto* link = static_cast<socket_link*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t put =
        ::send(link->fd, from, static_cast<std::size_t>(std::max(size, 0)), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && would_block()) {
        BIO_set_retry_write(bio);
    } else if (put < 0) {
        link->error = errno;
    }
    link->written += static_cast<std::uint64_t>(std::max<ssize_t>(put, 0));
    return static_cast<int>(put);
}

long control_link(BIO* bio, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_FLUSH: return 1;
        case BIO_CTRL_EOF: return static_cast<socket_link*>(BIO_get_data(bio))->ended ? 1 : 0;
        default: return 0;
    }
}

template <class T, void (*Free)(T*)>
struct freeing {
    void operator()(T* what) const noexcept { Free(what); }
};
template <class T, void (*Free)(T*)>
using owned = std::unique_ptr<T, freeing<T, Free>>;

const BIO_METHOD* link_method() {
    static const owned<BIO_METHOD, BIO_meth_free> method = [] {
        owned<BIO_METHOD, BIO_meth_free> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
        if (!made || BIO_meth_set_read(made.get(), &read_link) != 1 ||
            BIO_meth_set_write(made.get(), &write_link) != 1 || BIO_meth_set_ctrl(made.get(), &control_link) != 1) {
            throw std::bad_alloc();
        }
        return made;
    }();
    return method.get();
}

// TLS over a socket that OpenSSL reads and writes itself whenever it would not block. A stream over a pair of memory
// buffers would read less at once, copy once more, and hold buffers while a connection waits.
class tls_stream final : public byte_stream {
public:
    tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context);
    ~tls_stream() override { clear_staged(); }

    asio::awaitable<std::optional<error>> shake_hands(std::string host) override;
    asio::awaitable<io_result> read_some(asio::mutable_buffer into) override;
    asio::awaitable<io_result> write_some(gather pieces, heed whom) override;

    bool alive() override { return look() == next::readable; }

    void time_out() noexcept override {
        timed_out_ = true;
        close();
    }

    void close() noexcept override {
        error_code ignored;
        // An error of closing is ignored, because nobody could use it.
        socket_.close(ignored);
        link_.fd = -1;
    }

private:
    // The result of an OpenSSL call: it is done, has to wait for the socket, or failed permanently.
    enum class next : std::uint8_t { done, readable, writable, failed };

    template <class Call>
    next attempt(Call call);
    // Peeking for a byte also processes what came unrequested: session tickets, or an alert or end that make the stream
    // useless.
    next look() {
        char first = 0;
        std::size_t size = 0;
        return attempt([&] { return SSL_peek_ex(ssl_.get(), &first, 1, &size); });
    }
    asio::awaitable<error_code> wait_for(tcp::socket::wait_type what);
    asio::awaitable<io_result> wait_to_write(next step, heed whom);
    [[nodiscard]] error_code why_failed(int code) const;
    [[nodiscard]] bool prepare_check(const std::string& host);
    [[nodiscard]] std::optional<error> refused_peer(const std::string& host) const;
    [[nodiscard]] error_code reason(const error_code& error) const {
        return error && timed_out_ ? make_error_code(beast::error::timeout) : error;
    }
    [[nodiscard]] static tcp::socket::wait_type event(next what) noexcept {
        return what == next::writable ? tcp::socket::wait_write : tcp::socket::wait_read;
    }
    asio::const_buffer stage(const gather& pieces);
    // The memory is cleansed because the pieces may hold the key.
    void clear_staged() noexcept {
        OPENSSL_cleanse(staged_.data(), staged_.size());
        std::vector<unsigned char>().swap(staged_);
    }

    std::shared_ptr<asio::ssl::context> context_;
    tcp::socket socket_;
    socket_link link_;
    owned<SSL, SSL_free> ssl_;
    error_code failed_;         // Why the last attempt failed.
    error_code after_reading_;  // An error to return after the bytes before it.
    std::vector<unsigned char> staged_;
    std::size_t read_in_turn_ = 0;
    std::uint64_t accounted_ = 0;  // link_.written when the current write began.
    bool write_stopped_ = false;   // The peer sent something; the same pieces come again.
    bool timed_out_ = false;
};

tls_stream::tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
    : context_(std::move(context)), socket_(std::move(socket)), ssl_(SSL_new(context_->native_handle())) {
    BIO* bio = BIO_new(link_method());
    if (!ssl_ || bio == nullptr) {
        BIO_free(bio);
        throw std::bad_alloc();
    }
    link_.fd = socket_.native_handle();
    BIO_set_data(bio, &link_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
}

template <class Call>
tls_stream::next tls_stream::attempt(Call call) {
    ERR_clear_error();
    link_.error = 0;
    const int done = call();
    if (done == 1) {
        return next::done;
    }
    const int code = SSL_get_error(ssl_.get(), done);
    if (code == SSL_ERROR_WANT_READ) {
        return next::readable;
    }
    if (code == SSL_ERROR_WANT_WRITE) {
        return next::writable;
    }
    failed_ = why_failed(code);
    ERR_clear_error();
    return next::failed;
}

error_code tls_stream::why_failed(int code) const {
    if (code == SSL_ERROR_ZERO_RETURN) {
        return asio::error::eof;
    }
    if (link_.error != 0) {
        return {link_.error, boost::system::system_category()};
    }
    const unsigned long queued = ERR_peek_error();
    if (link_.ended || queued == 0) {
        // A body that ends with the connection must not count as complete if the peer did not announce the end.
        return asio::error::connection_reset;
    }
    return {static_cast<int>(queued), asio::error::get_ssl_category()};
}

bool tls_stream::prepare_check(const std::string& host) {
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    if (host.empty()) {
        return false;  // OpenSSL would not check the name if it is empty.
    }
    if (!not_an_address) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str()) == 1;
    }
    // SNI carries names only (RFC 6066 section 3).
    return SSL_set1_host(ssl_.get(), host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1;
}

// The error for a peer that every later try would refuse too, with advice for the user.
error lasting_failure(const std::string& host, const std::string& why) {
    error f(errc::network, "the TLS handshake with " + host + " failed: " + why);
    f.lasting = true;
    return f;
}

std::string advice_on_certificate(long code) {
    switch (code) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return "; it is another host's: check the base URL";
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return "; an authority of your own is named with ca_file (--ca-file, CYBERIAN_CA_FILE)";
        default: return "";
    }
}

// Whether the peer speaks no TLS, or no version of it that is supported here.
bool is_other_protocol(const error_code& error) noexcept {
    const auto code = static_cast<unsigned int>(error.value());
    if (error.category() != asio::error::get_ssl_category() || ERR_GET_LIB(code) != ERR_LIB_SSL) {
        return false;
    }
    const int reason = ERR_GET_REASON(code);
    return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_UNSUPPORTED_PROTOCOL ||
           reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION;
}

// The errors that a later try would meet again. Resets, ends of the stream and other alerts may pass.
std::optional<error> tls_stream::refused_peer(const std::string& host) const {
    const long code = SSL_get_verify_result(ssl_.get());
    if (code != X509_V_OK) {
        return lasting_failure(host,
                               "its certificate was refused: " + std::string(X509_verify_cert_error_string(code)) +
                                   advice_on_certificate(code));
    }
    if (is_lasting_alert(failed_)) {
        return lasting_failure(host, failed_.message() +
                                         "; the server refuses what this side offers, a client "
                                         "certificate may be missing");
    }
    if (is_other_protocol(failed_)) {
        return lasting_failure(host, failed_.message() +
                                         "; it does not speak TLS 1.2 or later (a server of this machine that speaks "
                                         "plain http needs a base URL with http://)");
    }
    return std::nullopt;
}

// A cancellation between the end of one wait and the beginning of the next reaches neither, so each wait checks for it
// first.
asio::awaitable<error_code> tls_stream::wait_for(tcp::socket::wait_type what) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) {
        co_return asio::error::operation_aborted;
    }
    const auto [error] = co_await socket_.async_wait(what, as_result);
    co_return reason(error);
}

asio::awaitable<std::optional<error>> tls_stream::shake_hands(std::string host) {
    if (!prepare_check(host)) {
        co_return lasting_failure(host, "a certificate cannot be checked against that name");
    }
    error_code code;
    for (;;) {
        const next step = attempt([this] { return SSL_connect(ssl_.get()); });
        if (step == next::done) {
            co_return std::nullopt;
        }
        if (step == next::failed) {
            code = reason(failed_);
            break;
        }
        code = co_await wait_for(event(step));
        if (code) {
            break;
        }
    }
    if (code == asio::error::operation_aborted) {
        co_return error(errc::cancelled, "cancelled during the TLS handshake with " + host);
    }
    if (code == beast::error::timeout) {
        co_return error(errc::timeout, "the deadline passed during the TLS handshake with " + host);
    }
    const std::optional<error> refused = refused_peer(host);
    co_return refused ? *refused
                      : error(errc::network, "the TLS handshake with " + host + " failed: " + code.message());
}

asio::awaitable<io_result> tls_stream::read_some(asio::mutable_buffer into) {
    if (after_reading_) {
        co_return io_result(reason(after_reading_), 0);
    }
    const std::size_t most = std::min(into.size(), turn_size);
    if (SSL_has_pending(ssl_.get()) == 0) {
        // All bytes read before are used up, and an immediate read would mostly find nothing.
        const error_code error = co_await wait_for(tcp::socket::wait_read);
        if (error) {
            co_return io_result(error, 0);
        }
        read_in_turn_ = 0;
    } else if (read_in_turn_ >= turn_size) {
        co_await asio::post(socket_.get_executor(), asio::use_awaitable);
        read_in_turn_ = 0;
    }
    std::size_t filled = 0;
    for (;;) {
        std::size_t got = 0;
        auto* const to = static_cast<unsigned char*>(into.data()) + filled;
        const next step = attempt([&] { return SSL_read_ex(ssl_.get(), to, most - filled, &got); });
        filled += got;
        read_in_turn_ += got;
        if (filled == most || (filled > 0 && step != next::done)) {
            after_reading_ = step == next::failed ? failed_ : error_code();
            co_return io_result(error_code(), filled);
        }
        if (step == next::failed) {
            co_return io_result(reason(failed_), 0);
        }
        if (step != next::done) {
            const error_code error = co_await wait_for(event(step));
            if (error) {
                co_return io_result(error, 0);
            }
        }
    }
}

// Small pieces are joined in one record, so that a request is not sent as four records.
asio::const_buffer tls_stream::stage(const gather& pieces) {
    const auto first =
        std::find_if(pieces.begin(), pieces.end(), [](const asio::const_buffer& piece) { return piece.size() > 0; });
    if (first == pieces.end() || first->size() >= record_size || std::next(first) == pieces.end()) {
        return first == pieces.end() ? asio::const_buffer() : *first;
    }
    staged_.resize(std::min(asio::buffer_size(pieces), record_size));
    asio::buffer_copy(asio::buffer(staged_), pieces);
    return asio::buffer(staged_);
}

// Before each wait, this looks for bytes that OpenSSL has already read, because the socket does not report them. A
// session ticket is processed and does not count as a response.
asio::awaitable<io_result> tls_stream::wait_to_write(next step, heed whom) {
    if (step == next::readable || whom == heed::nothing) {
        const error_code error = co_await wait_for(event(step));
        co_return io_result(error, 0);
    }
    const next seen = look();
    io_result stopped;
    stopped.peer_spoke = seen == next::done || (seen == next::failed && failed_ == asio::error::eof);
    stopped.error = seen == next::failed && !stopped.peer_spoke ? reason(failed_) : error_code();
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) {
        stopped.error = asio::error::operation_aborted;
    }
    if (stopped.peer_spoke || stopped.error) {
        co_return stopped;
    }
    const error_code error = co_await wait_for_either(&socket_);
    co_return io_result(reason(error), 0);
}

asio::awaitable<io_result> tls_stream::write_some(gather pieces, heed whom) {
    const asio::const_buffer from = stage(pieces);
    if (!write_stopped_) {
        accounted_ = link_.written;
    }
    write_stopped_ = false;
    io_result made;
    for (;;) {
        const next step = attempt([&] { return SSL_write_ex(ssl_.get(), from.data(), from.size(), &made.size); });
        if (step == next::done) {
            break;
        }
        if (step == next::failed) {
            made.error = reason(failed_);
            break;
        }
        made = co_await wait_to_write(step, whom);
        if (made.error || made.peer_spoke) {
            break;
        }
    }
    clear_staged();
    write_stopped_ = made.peer_spoke && !made.error;
    if (made.error || made.peer_spoke) {
        made.size = static_cast<std::size_t>(link_.written - accounted_);
    }
    co_return made;
}

}  // namespace

result<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& ca_file) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX* const native = context->native_handle();
    if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) {
        return error(errc::invalid_argument, "this OpenSSL cannot be held to TLS 1.2 or later");
    }
    // Idle connections free their record buffers.
    SSL_CTX_set_mode(native,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(native, 1);
    SSL_CTX_set_default_read_buffer_len(native, read_ahead_size);
    boost::system::error_code code;
    if (ca_file.empty()) {
        context->set_default_verify_paths(code);
    } else {
        context->load_verify_file(ca_file, code);
    }
    if (code) {
        return error(errc::invalid_argument, "cannot load the certificate authorities" +
                                                 (ca_file.empty() ? std::string() : " of " + ca_file) + ": " +
                                                 code.message());
    }
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    return context;
}

std::unique_ptr<byte_stream> make_tls_stream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context) {
    return std::make_unique<tls_stream>(std::move(socket), std::move(context));
}

}  // namespace vembed::http
