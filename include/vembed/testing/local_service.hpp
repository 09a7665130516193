#pragma once
/// @file
/// What the socket front and the in-memory transport need of a local service, whichever remote one it stands in for: a
/// pure state machine with no sockets, no clock and no threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/message.hpp>
#include <vembed/core/time.hpp>

namespace vembed::testing {

/// A request as a front has read it: head and body complete and within the front's size limits.
class service_request {
public:
    std::string method;  ///< As on the wire.
    std::string target;
    std::string authorization;  ///< The Authorization header's value, or empty.
    std::string content_type;
    /// Every header line in its order, these two as well. The front bounds their number and their bytes.
    std::vector<header_field> headers;
    std::string_view body;  ///< Must stay valid during handle().

    service_request() = default;

    /// The value of the first header of that name (compared without case), or nothing.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
};

/// The next part of a body that continues.
class body_piece {
public:
    enum class then : std::uint8_t {
        more,  ///< The front asks for the next piece at `next_at`.
        end,   ///< The body is complete.
        cut,   ///< The front cuts the connection as soon as this piece is sent; the body stays incomplete.
    };

    std::string bytes;  ///< May be empty. At most 1 MiB.
    then after = then::end;
    monotonic_time next_at{};  ///< A time in the past means at once.

    body_piece() = default;
};

/// A body that is made while it is sent, so that it may take time and need not fit into memory. It may outlive its
/// service, and is dropped early if the peer goes away.
class continuing_body {
public:
    continuing_body() = default;
    continuing_body(const continuing_body&) = delete;
    continuing_body& operator=(const continuing_body&) = delete;
    virtual ~continuing_body() = default;

    /// The next piece. It is not called again after `end` or `cut`.
    virtual body_piece next(monotonic_time now, wall_time wall) = 0;
};

/// What a front has to do for one request.
class service_response {
public:
    /// Set: nothing to send yet. The front waits until then and calls handle() again with the same request and the
    /// same `ordinal`; long polls and delays work like this. All other fields are then meaningless.
    std::optional<monotonic_time> hold_until;
    int status = 200;
    /// Without Content-Length, Transfer-Encoding and Connection, which the front writes.
    std::vector<header_field> headers;
    std::string text;                          ///< The body if `output_owner` is null.
    std::shared_ptr<const void> output_owner;  ///< Keeps `output` alive; a copy of it may outlive the service.
    std::span<const std::byte> output;         ///< The body of a job output, shared, never copied.
    /// Set: the body goes on with these pieces after the above, chunked unless `length` is set.
    std::shared_ptr<continuing_body> rest;
    std::optional<std::uint64_t> length;  ///< Of a body that goes on: the bytes it is said to have (Content-Length).
    /// Set: the front cuts the connection after that many bytes of the response (head and chunk lines included); 0:
    /// without any response. A number beyond the response's end cuts right after it.
    std::optional<std::uint64_t> cut_after;
    bool cut_with_reset = false;  ///< A cut is a reset instead of an orderly end of the stream.

    service_response() = default;

    /// The body, whichever kind it is; of one that goes on, its beginning. Valid while this response is neither moved
    /// nor changed.
    [[nodiscard]] std::span<const std::byte> body() const noexcept {
        return output_owner ? output : std::as_bytes(std::span(text));
    }
};

/// Decided when a request begins, before it is read: whether its connection is cut while the request is read.
class service_arrival {
public:
    std::uint64_t ordinal = 0;                       ///< Names the request in later calls.
    std::optional<std::uint64_t> cut_request_after;  ///< Cut after that many bytes of the request; it is not handled.
    bool cut_with_reset = false;

    service_arrival() = default;
};

/// A local service. Single-threaded: all fronts that drive it, or others with the same state, run on one executor.
///
/// Time is what the caller says it is; it must not go backwards. The same options and calls give the same responses.
class local_service {
public:
    local_service() = default;
    local_service(const local_service&) = delete;
    local_service& operator=(const local_service&) = delete;
    virtual ~local_service() = default;

    /// Registers a request that begins to arrive. `expected_size` is a guess at its length in bytes, from which the
    /// position of a cut is drawn.
    virtual service_arrival arrive(std::uint64_t expected_size) = 0;

    /// Answers a request (or says when to ask again). Never throws for any input.
    virtual service_response handle(std::uint64_t ordinal, const service_request& request, monotonic_time now,
                                    wall_time wall) = 0;
};

}  // namespace vembed::testing
