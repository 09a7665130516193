#pragma once
/// A connected stream of bytes, plain or TLS.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <vembed/core/result.hpp>

namespace vembed::http {

namespace asio = boost::asio;

/// The result of one read or write.
class io_result {
public:
    boost::system::error_code error;
    std::size_t size = 0;
    bool peer_spoke = false;  ///< A write stopped because something can be read.

    io_result() = default;
    io_result(boost::system::error_code e, std::size_t n) : error(e), size(n) {}
};

/// The pieces of a request that are written together.
using gather = std::array<asio::const_buffer, 4>;

/// Whether the coroutine was cancelled before it began to wait. A wait that begins afterwards is not cancelled and ends
/// only when its socket becomes ready.
[[nodiscard]] inline bool is_cancelled(const asio::cancellation_state& state) noexcept {
    return state.cancelled() != asio::cancellation_type::none;
}

/// Waits until `socket` can be written, or read if that comes first.
asio::awaitable<boost::system::error_code> wait_for_either(asio::ip::tcp::socket* socket);

/// Whether a write that has to wait also ends if the peer sends something.
enum class heed : std::uint8_t { nothing, peer };

class byte_stream {
public:
    byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;
    virtual ~byte_stream() = default;

    /// Does the TLS handshake and checks that the peer is `host`; a plain stream does nothing. Call once, before
    /// anything else. Errors: network (lasting if the peer is not `host` or speaks no supported TLS version), timeout,
    /// cancelled.
    virtual asio::awaitable<std::optional<error>> shake_hands(std::string host) = 0;
    virtual asio::awaitable<io_result> read_some(asio::mutable_buffer into) = 0;
    /// Writes at least one byte of `pieces`. `size` counts bytes handed to the operating system: bytes of `pieces`, or
    /// encrypted bytes if TLS was interrupted. It is zero only if nothing was sent.
    ///
    /// If it has to wait and heeds the peer, it ends with peer_spoke as soon as a byte can be read or the peer has
    /// ended its side. Then none of `pieces` is written: the next call must pass the same pieces, and its `size` covers
    /// both calls.
    virtual asio::awaitable<io_result> write_some(gather pieces, heed whom) = 0;
    /// Whether another request can be sent: as far as can be seen without waiting, the peer has neither closed the
    /// stream nor sent unrequested bytes.
    [[nodiscard]] virtual bool alive() = 0;
    /// Ends the current operation and all later ones with beast::error::timeout.
    virtual void time_out() noexcept = 0;
    virtual void close() noexcept = 0;
};

/// The TLS rules of every connection: TLS 1.2 or later, the peer's certificate checked against `ca_file` (PEM), or
/// against the system's store if it is empty. The check cannot be switched off.
result<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& ca_file);

/// Makes a stream of a connected socket that nobody else uses.
std::unique_ptr<byte_stream> make_plain_stream(asio::ip::tcp::socket socket);

/// Makes a TLS stream of a connected socket; the first call must be shake_hands().
std::unique_ptr<byte_stream> make_tls_stream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context);

}  // namespace vembed::http
