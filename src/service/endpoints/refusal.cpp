#include "service/endpoints/refusal.hpp"

#include <stdexcept>

#include "service/endpoints/json_text.hpp"

namespace vembed::service {

void throw_exception_from_error(const refusal& why, const boost::source_location&) {
    throw std::runtime_error(why.message);
}

refusal invalid_request(std::string message) {
    return refusal(400, "invalid_request", std::move(message));
}

testing::service_response json_response(int status, std::string text) {
    testing::service_response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.text = std::move(text);
    return response;
}

testing::service_response error_response(const refusal& why) {
    std::string text;
    json_writer json(text);
    json.begin_object().field("error", why.code).field("message", why.message).end_object();
    testing::service_response response = json_response(why.status, std::move(text));
    if (why.retry_after) {
        response.headers.emplace_back("Retry-After", *why.retry_after);
    }
    return response;
}

}  // namespace vembed::service
