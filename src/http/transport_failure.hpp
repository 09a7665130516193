#pragma once
/// What a socket's errors are called.

#include <string_view>

#include <boost/system/error_code.hpp>

#include <vembed/core/failure.hpp>

namespace vembed::http {

/// Whether the peer said in a TLS alert that it wants another certificate of us, or has nothing in common with us: the
/// next try ends the same way.
bool is_lasting_alert(const boost::system::error_code& error) noexcept;

/// timeout where the deadline passed, cancelled where the operation was ended, else network. `doing` completes "while
/// …".
failure transport_failure(const boost::system::error_code& error, std::string_view doing);

/// network: the peer ended its side before it had to.
failure end_of_stream(std::string_view doing);

/// cancelled: the transport was closed while an exchange was under way.
failure closed_meanwhile();

}  // namespace vembed::http
