#include "http/socket/transport_failure.hpp"

#include <string>

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>

namespace vembed::http {

bool is_lasting_alert(const boost::system::error_code& error) noexcept {
    const auto code = static_cast<unsigned int>(error.value());
    if (error.category() != boost::asio::error::get_ssl_category() || ERR_GET_LIB(code) != ERR_LIB_SSL) {
        return false;
    }
    switch (ERR_GET_REASON(code)) {
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return true;
        default: return false;
    }
}

error transport_failure(const boost::system::error_code& code, std::string_view doing) {
    if (code == boost::beast::error::timeout) {
        return {errc::timeout, "the deadline passed while " + std::string(doing)};
    }
    if (code == boost::asio::error::operation_aborted) {
        return {errc::cancelled, "cancelled while " + std::string(doing)};
    }
    error f(errc::network, "the connection failed while " + std::string(doing) + ": " + code.message());
    f.lasting = is_lasting_alert(code);
    return f;
}

error end_of_stream(std::string_view doing) {
    return {errc::network, "the server closed the connection while " + std::string(doing)};
}

error closed_meanwhile() {
    return {errc::cancelled, "the client was closed"};
}

}  // namespace vembed::http
