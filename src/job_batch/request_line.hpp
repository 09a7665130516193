#pragma once
/// Reads a line of a batch as far as it is the same for every service.

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <vembed/core/result.hpp>

namespace vembed::job_batch {

/// The object that a line holds; invalid_argument if it is anything else, or nests deeper than the services' JSON may.
result<boost::json::object> read_request_line(std::string_view line);

/// invalid_argument: a request has no such member.
error unknown_member(std::string_view name);

/// invalid_argument: the member is not `wanted`, for example "a text".
error not_of_kind(std::string_view name, std::string_view wanted);

}  // namespace vembed::job_batch
