#pragma once
/// Error responses: `{"error": code, "message": …}` with a status.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>
#include <vembed/testing/service.hpp>

namespace vembed::service {

/// Why a request is refused, in the terms of the contract's error table.
class refusal {
public:
    int status = 400;
    std::string code;
    std::string message;
    std::optional<std::string> retry_after;  ///< The Retry-After header's value.

    refusal() = default;
    refusal(int http_status, std::string error_code, std::string text)
        : status(http_status), code(std::move(error_code)), message(std::move(text)) {}
};

/// A value, or the reason why there is none.
template <class T>
using answer = boost::system::result<T, refusal>;

/// answer<T>::value() of a refusal throws std::runtime_error with the refusal's message.
[[noreturn]] void throw_exception_from_error(const refusal& why, const boost::source_location& where);

/// A refusal with 400 invalid_request.
refusal invalid_request(std::string message);

testing::service_response error_response(const refusal& why);
testing::service_response json_response(int status, std::string text);

}  // namespace vembed::service
