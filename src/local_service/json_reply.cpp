#include "local_service/json_reply.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/serialize.hpp>

namespace vembed::local_service {

testing::service_response json_reply(int status, const boost::json::value& body) {
    testing::service_response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.text = boost::json::serialize(body);
    return response;
}

testing::service_response html_reply(int status, const std::string& title) {
    testing::service_response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "text/html");
    response.text = "<html><head><title>" + title + "</title></head><body>" + title + "</body></html>\n";
    return response;
}

std::optional<boost::json::object> object_of_body(std::string_view body) {
    boost::system::error_code ec;
    boost::json::parse_options options;
    options.max_depth = 32;
    boost::json::value value = boost::json::parse(body, ec, {}, options);
    if (ec || !value.is_object()) {
        return std::nullopt;
    }
    return std::move(value.get_object());
}

}  // namespace vembed::local_service
