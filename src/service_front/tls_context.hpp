#pragma once
/// The TLS server context.

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <vembed/core/result.hpp>

namespace vembed::service_front {

/// TLS 1.2 and newer with this certificate chain and key (PEM files). Fails with invalid_argument, which names the file
/// that cannot be used and OpenSSL's reason.
result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& certificate_file,
                                                                    const std::string& key_file);

}  // namespace vembed::service_front
