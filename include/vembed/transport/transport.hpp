#pragma once
/// @file
/// One request out, one response in. This is the interface between the request pipeline and whatever carries bytes:
/// sockets and TLS in production, memory in simulation.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include <vembed/core/message.hpp>
#include <vembed/core/result.hpp>
#include <vembed/core/secret.hpp>
#include <vembed/core/time.hpp>
#include <vembed/runtime/byte_sink.hpp>

namespace vembed {

namespace asio = boost::asio;

/// The header that carries the key.
class key_header {
public:
    std::string name = "Authorization";
    std::string scheme = "Bearer";  ///< Stands before the key, with a space between them. Empty: the key alone.

    key_header() = default;
    key_header(std::string header_name, std::string auth_scheme)
        : name(std::move(header_name)), scheme(std::move(auth_scheme)) {}
};

/// A request's body that is too large to be held in memory. It must not change while it is sent.
class body_source {
public:
    body_source() = default;
    body_source(const body_source&) = delete;
    body_source& operator=(const body_source&) = delete;
    virtual ~body_source() = default;

    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
    /// Reads from byte `at` on; at least one byte if `at` is below size(). The error ends the exchange.
    virtual asio::awaitable<result<std::size_t>> read(std::uint64_t at, std::span<std::byte> into) = 0;
};

/// A request without the headers that the transport itself writes (Host, Content-Length, Connection) and without the
/// header that carries the key, which the transport takes from `key` so that the key is never in a string that others
/// see.
class transport_request {
public:
    http_method method = http_method::get;
    std::string target;  ///< Origin form, already encoded: "/jobs/abc/wait?max_wait=30".
    std::vector<header_field> headers;
    std::string body;                          ///< Empty for GET.
    std::shared_ptr<body_source> long_body;    ///< If not null, it is the body, and `body` is empty.
    std::shared_ptr<const secret> key;         ///< Null: the request goes without a key.
    std::shared_ptr<const key_header> key_in;  ///< Where the key stands. Null: "Authorization: Bearer".

    transport_request() = default;

    [[nodiscard]] std::uint64_t body_size() const noexcept { return long_body ? long_body->size() : body.size(); }
};

/// The status line and headers of a final response (1xx responses are consumed by the transport).
class response_head {
public:
    int status = 0;
    std::vector<header_field> headers;
    std::optional<std::uint64_t> content_length;  ///< Absent if the body is chunked or ends with the connection.

    response_head() = default;

    /// The value of the first header of that name (compared without case), or nothing.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
};

/// Receives a response: first its head, which decides where the body goes, then the body.
class response_sink : public byte_sink {
public:
    /// Called once, before the first prepare(). An error ends the exchange with that error.
    virtual result<void> begin(const response_head& head) = 0;
};

/// What became of an exchange. Exactly one of: a head and a complete body (error empty), or an error; `head` may be set
/// beside an error if the response broke off after its head.
class exchange_outcome {
public:
    std::optional<response_head> head;
    std::optional<vembed::error>
        error;                        ///< network, protocol, response_too_large, timeout, cancelled or the sink's own.
    std::uint64_t bytes_written = 0;  ///< Bytes of the request, head included, that the operating system took.
    bool request_written = false;     ///< The whole request was written. A server may refuse before that.
    bool connection_reused = false;   ///< Sent on a connection that had carried an exchange before.
    bool response_begun = false;      ///< At least one byte of a response was read.

    exchange_outcome() = default;
};

/// Carries requests to one origin. All calls are made on one executor.
class transport {
public:
    transport() = default;
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
    virtual ~transport() = default;

    /// Sends `request` once and reads its response into `sink`, which must outlive the exchange. Never repeats a
    /// request of which a byte was written. Ends at `deadline` with timeout, and on cancellation with cancelled; in
    /// both cases the connection is discarded.
    virtual asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request,
                                                       response_sink* sink, monotonic_time deadline) = 0;

    /// The most exchanges that can be under way at once; the others wait. Empty: no limit is known.
    [[nodiscard]] virtual std::optional<std::uint64_t> exchanges_at_once() const { return std::nullopt; }

    /// Drops idle connections and makes exchanges under way fail with cancelled. Later exchanges fail the same way.
    virtual void close() noexcept = 0;
};

}  // namespace vembed
