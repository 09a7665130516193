#include "service_front/tls_context.hpp"

namespace vembed::service_front {
namespace {

namespace ssl = boost::asio::ssl;

error unusable(const char* what, const std::string& file, const boost::system::error_code& ec) {
    return error(errc::invalid_argument,
                 std::string("the TLS ") + what + " `" + file + "` cannot be used: " + ec.message());
}

}  // namespace

result<std::shared_ptr<ssl::context>> make_tls_context(const std::string& certificate_file,
                                                       const std::string& key_file) {
    if (certificate_file.empty() || key_file.empty()) {
        return error(errc::invalid_argument, "TLS needs both a certificate file and a key file");
    }
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    boost::system::error_code ec;
    if (SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION) != 1) {
        return error(errc::invalid_argument, "this OpenSSL cannot be limited to TLS 1.2 and newer");
    }
    context->use_certificate_chain_file(certificate_file, ec);
    if (ec) {
        return unusable("certificate file", certificate_file, ec);
    }
    context->use_private_key_file(key_file, ssl::context::pem, ec);
    if (ec) {
        return unusable("key file", key_file, ec);
    }
    if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
        return error(errc::invalid_argument,
                     "the TLS key `" + key_file + "` does not belong to the certificate `" + certificate_file + "`");
    }
    return context;
}

}  // namespace vembed::service_front
