#include "aitbc_service/refusals.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "local_service/json_reply.hpp"
#include "text/iso_time.hpp"

namespace vembed::aitbc_service {
namespace {

namespace json = boost::json;
using local_service::json_reply;

// The service's own clock text ends with both an offset and a Z.
std::string odd_time(wall_time wall) {
    std::string text = text::format_iso_time(wall);
    text.pop_back();
    return text + "+00:00Z";
}

json::object envelope(std::string_view code, int status, std::string_view message, json::array details,
                      wall_time wall) {
    json::object inner{{"code", code}, {"message", message}, {"status", status}, {"details", std::move(details)}};
    return {{"error", std::move(inner)}, {"timestamp", odd_time(wall)}, {"request_id", "req-local"}};
}

}  // namespace

testing::service_response detail(int status, std::string_view text) {
    return json_reply(status, json::object{{"detail", text}});
}

testing::service_response validation_list(std::string_view field, std::string_view message) {
    json::object entry{{"loc", json::array{"body", field}}, {"msg", message}, {"type", "missing"}};
    return json_reply(422, json::object{{"detail", json::array{std::move(entry)}}});
}

testing::service_response validation_envelope(std::string_view field, std::string_view message, wall_time wall) {
    json::object entry{{"field", field}, {"message", message}, {"code", "missing"}};
    return json_reply(
        422, envelope("VALIDATION_ERROR", 422, "Request validation failed", json::array{std::move(entry)}, wall));
}

testing::service_response http_error(int status, std::string_view type, std::string_view message,
                                     std::string_view path) {
    json::object inner{{"type", type}, {"message", message}, {"status_code", status}, {"path", path}};
    return json_reply(status, json::object{{"error", std::move(inner)}});
}

testing::service_response too_many(std::uint32_t retry_after_s, std::uint64_t form, wall_time wall) {
    static constexpr std::string_view text = "Rate limit exceeded";
    testing::service_response response;
    if (form % 3 == 0) {
        response = detail(429, text);
    } else if (form % 3 == 1) {
        response = json_reply(429, json::object{{"error", text}});
    } else {
        json::array details{json::object{{"retry_after", retry_after_s}}};
        response = json_reply(429, envelope("RATE_LIMIT_EXCEEDED", 429, text, std::move(details), wall));
    }
    response.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
    return response;
}

}  // namespace vembed::aitbc_service
