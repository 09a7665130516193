#include "cyberian/io/calls.hpp"

#include <utility>

#include "policy/input/path_segment.hpp"

namespace vembed::cyberian {

result<std::string> path_of(std::string_view before, const std::string& id, std::string_view after) {
    const result<std::string> segment = policy::encode_path_segment(id);
    if (!segment) {
        return segment.error();
    }
    return std::string(before) + *segment + std::string(after);
}

http::call post_call(std::string target, std::string body, monotonic_time deadline) {
    http::call made;
    made.method = http_method::post;
    made.target = std::move(target);
    made.body = std::move(body);
    made.body_limit = small_response_max;
    made.deadline = deadline;
    return made;
}

error unreadable_acceptance(const error& f) {
    error unknown = f;
    unknown.kind = errc::outcome_unknown;
    unknown.message = "the service accepted the request, but its response cannot be read: " + f.message;
    return unknown;
}

}  // namespace vembed::cyberian
