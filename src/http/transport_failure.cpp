#include "http/transport_failure.hpp"

#include <string>

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>

namespace vembed::http {

failure transport_failure(const boost::system::error_code& error, std::string_view doing) {
    if (error == boost::beast::error::timeout) {
        return {errc::timeout, "the deadline passed while " + std::string(doing)};
    }
    if (error == boost::asio::error::operation_aborted) {
        return {errc::cancelled, "cancelled while " + std::string(doing)};
    }
    return {errc::network, "the connection failed while " + std::string(doing) + ": " + error.message()};
}

failure end_of_stream(std::string_view doing) {
    return {errc::network, "the server closed the connection while " + std::string(doing)};
}

failure closed_meanwhile() {
    return {errc::cancelled, "the client was closed"};
}

}  // namespace vembed::http
