#pragma once
/// Writes the head of a response.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/testing/local_service.hpp>

namespace vembed::service_front {

/// The reason phrase of a status code; empty if this service never gives that code.
std::string_view reason_of(int status) noexcept;

/// How the peer learns where a body ends.
enum class framing : std::uint8_t {
    length,   ///< Content-Length.
    chunked,  ///< Transfer-Encoding: chunked.
    close,    ///< The connection's end.
};

/// Replaces `out` by status line, headers with those of the framing, Connection: close if `close`, and the empty line.
void write_response_head(std::string& out, const testing::service_response& response, framing how, bool close);

/// Appends `bytes` as one chunk; nothing if there are none, because an empty chunk is the last.
void append_chunk(std::string& out, std::string_view bytes);

/// What follows the last chunk.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace vembed::service_front
