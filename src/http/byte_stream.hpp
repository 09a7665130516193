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

/// What one read or write did.
class io_result {
public:
    boost::system::error_code error;
    std::size_t size = 0;
    bool peer_spoke = false;  ///< Of a write that stopped because something can be read.

    io_result() = default;
    io_result(boost::system::error_code e, std::size_t n) : error(e), size(n) {}
};

/// The pieces of a request that are written together.
using gather = std::array<asio::const_buffer, 4>;

/// Whether the coroutine was cancelled before it came to wait. A wait that begins then is not told about it, and ends
/// only when its socket has something to say.
[[nodiscard]] inline bool is_cancelled(const asio::cancellation_state& state) noexcept {
    return state.cancelled() != asio::cancellation_type::none;
}

/// Waits until `socket` can be written, or read if that comes first.
asio::awaitable<boost::system::error_code> wait_for_either(asio::ip::tcp::socket* socket);

/// Whether a write that has to wait looks for what the peer sends meanwhile.
enum class heed : std::uint8_t { nothing, peer };

class byte_stream {
public:
    byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;
    virtual ~byte_stream() = default;

    /// Agrees on the terms with `host`, checking that it is who it should be; plain streams have none. Once, before
    /// anything else. network (lasting where the peer is not who it should be, or speaks no TLS of ours), timeout,
    /// cancelled.
    virtual asio::awaitable<std::optional<failure>> shake_hands(std::string host) = 0;
    virtual asio::awaitable<io_result> read_some(asio::mutable_buffer into) = 0;
    /// Writes at least one byte of `pieces`. `size` counts bytes handed to the operating system: of `pieces`, or, where
    /// TLS was interrupted, of what they were encrypted to; zero only where nothing left.
    ///
    /// Where it would have to wait and is to heed the peer, it ends with peer_spoke as soon as a byte can be read or
    /// the peer has ended its side. None of `pieces` is written then: the next call has the same ones, and its `size`
    /// is of both calls.
    virtual asio::awaitable<io_result> write_some(gather pieces, heed whom) = 0;
    /// Whether another request can be sent: the peer has not closed it and sent nothing unasked, as far as can be seen
    /// without waiting.
    [[nodiscard]] virtual bool alive() = 0;
    /// Ends what is under way, and all that comes later, with beast::error::timeout.
    virtual void time_out() noexcept = 0;
    virtual void close() noexcept = 0;
};

/// The TLS rules of every connection: TLS 1.2 or later, the peer's certificate checked against `ca_file` (PEM), or the
/// system's store where it is empty. There is no way to switch the check off.
result<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& ca_file);

/// A connected stream that is not being watched by anyone else.
std::unique_ptr<byte_stream> make_plain_stream(asio::ip::tcp::socket socket);

/// The same with TLS, which begins with shake_hands().
std::unique_ptr<byte_stream> make_tls_stream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context);

}  // namespace vembed::http
