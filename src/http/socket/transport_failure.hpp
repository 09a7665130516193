#pragma once
/// Maps a socket's errors to `vembed::error`.

#include <string_view>

#include <boost/system/error_code.hpp>

#include <vembed/core/error.hpp>

namespace vembed::http {

/// Whether the peer said in a TLS alert that it wants another client certificate or supports nothing that is offered:
/// the next try would fail too.
bool is_lasting_alert(const boost::system::error_code& error) noexcept;

/// timeout if the deadline passed, cancelled if the operation was ended, else network. `doing` completes "while …".
error transport_failure(const boost::system::error_code& error, std::string_view doing);

/// A network error: the peer ended its side too early.
error end_of_stream(std::string_view doing);

/// A cancelled error: the transport was closed while an exchange was running.
error closed_meanwhile();

}  // namespace vembed::http
