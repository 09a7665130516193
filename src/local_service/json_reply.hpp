#pragma once
/// Responses with a JSON body.

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <vembed/testing/local_service.hpp>

namespace vembed::local_service {

testing::service_response json_reply(int status, const boost::json::value& body);

/// As a proxy in front of a service answers.
testing::service_response html_reply(int status, const std::string& title);

/// The object that a body holds; an empty optional if it holds anything else or nests deeper than 32.
std::optional<boost::json::object> object_of_body(std::string_view body);

}  // namespace vembed::local_service
