#pragma once
/// Writes the head of a response.

#include <cstdint>
#include <string>
#include <string_view>

#include <vembed/testing/service.hpp>

namespace vembed::service_front {

/// The reason phrase of a status code; empty if this service never gives that code.
std::string_view reason_of(int status) noexcept;

/// Replaces `out` by status line, headers with Content-Length, Connection: close if `close`, and the empty line.
void write_response_head(std::string& out, const testing::service_response& response, bool close);

}  // namespace vembed::service_front
