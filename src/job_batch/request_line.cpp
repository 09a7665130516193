#include "job_batch/request_line.hpp"

#include <utility>

#include <boost/json/parse.hpp>

#include "text/json/readable_json.hpp"

namespace vembed::job_batch {

result<boost::json::object> read_request_line(std::string_view line) {
    boost::json::error_code broken;
    boost::json::parse_options options;
    options.max_depth = text::json_depth_max;
    boost::json::value read = boost::json::parse(line, broken, {}, options);
    if (broken || !read.is_object()) {
        return error(errc::invalid_argument, "it is not a JSON object");
    }
    return std::move(read.get_object());
}

error unknown_member(std::string_view name) {
    return {errc::invalid_argument, "\"" + std::string(name) + "\" is no member of a request"};
}

error not_of_kind(std::string_view name, std::string_view wanted) {
    return {errc::invalid_argument, "\"" + std::string(name) + "\" is not " + std::string(wanted)};
}

}  // namespace vembed::job_batch
