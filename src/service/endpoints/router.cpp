#include "service/endpoints/router.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "local_service/target.hpp"

namespace vembed::service {
namespace {

constexpr std::size_t id_bytes_max = 256;
constexpr std::uint32_t wait_s_max = 30;

struct pattern {
    std::string_view method;
    std::array<std::string_view, 3> segments;  // ":" stands for an id
    std::size_t count;
    endpoint to;
};

constexpr auto patterns = std::to_array<pattern>({
    {"GET", {"jobs", ":", ""}, 2, endpoint::job},
    {"GET", {"jobs", ":", "wait"}, 3, endpoint::wait_job},
    {"GET", {"jobs", ":", "results"}, 3, endpoint::job_results},
    {"GET", {"jobs", ":", "output"}, 3, endpoint::job_output},
    {"POST", {"jobs", "", ""}, 1, endpoint::submit_job},
    {"GET", {"receipts", ":", ""}, 2, endpoint::receipt},
    {"GET", {"receipts", ":", "verify"}, 3, endpoint::verify_receipt},
    {"GET", {"health", "", ""}, 1, endpoint::health},
    {"GET", {"models", "", ""}, 1, endpoint::models},
    {"GET", {"account", "", ""}, 1, endpoint::account},
    {"POST", {"verify", "", ""}, 1, endpoint::verify},
    {"POST", {"auth", "keys", "rotate"}, 3, endpoint::rotate_key},
    {"POST", {"auth", "keys", "revoke"}, 3, endpoint::revoke_key},
});

// The segments of a path; none if it has more than three or does not begin with a slash.
std::size_t split_path(std::string_view path, std::array<std::string_view, 3>& segments) {
    std::size_t count = 0;
    while (!path.empty()) {
        if (path.front() != '/' || count == segments.size()) {
            return 0;
        }
        const std::size_t end = std::min(path.find('/', 1), path.size());
        segments[count++] = path.substr(1, end - 1);
        path.remove_prefix(end);
    }
    return count;
}

bool matches(const pattern& candidate, std::span<const std::string_view> segments) {
    if (candidate.count != segments.size()) {
        return false;
    }
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (candidate.segments[i] == ":" ? segments[i].empty() : candidate.segments[i] != segments[i]) {
            return false;
        }
    }
    return true;
}

refusal no_such_path() {
    return refusal(404, "not_found", "there is no such path");
}

}  // namespace

answer<route> find_route(std::string_view method, std::string_view target) {
    target = local_service::without_origin(target);
    const std::size_t mark = std::min(target.find('?'), target.size());
    std::array<std::string_view, 3> segments;
    const std::size_t count = split_path(target.substr(0, mark), segments);
    const pattern* of_other_method = nullptr;
    for (const pattern& candidate : patterns) {
        if (!matches(candidate, std::span(segments).first(count))) {
            continue;
        }
        if (candidate.method != method) {
            of_other_method = &candidate;
            continue;
        }
        route found;
        found.to = candidate.to;
        found.query = mark < target.size() ? target.substr(mark + 1) : std::string_view();
        if (candidate.segments[1] == ":") {
            std::optional<std::string> id = local_service::percent_decode(segments[1]);
            if (!id || id->size() > id_bytes_max) {
                return no_such_path();
            }
            found.id = std::move(*id);
        }
        return found;
    }
    if (of_other_method != nullptr) {
        return refusal(405, "method_not_allowed", "this path takes " + std::string(of_other_method->method));
    }
    return no_such_path();
}

answer<std::uint32_t> parse_max_wait(std::string_view query) {
    static constexpr std::string_view name = "max_wait=";
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view item = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (!item.starts_with(name)) {
            continue;
        }
        const std::string_view digits = item.substr(name.size());
        const bool number =
            !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!number) {
            return invalid_request("max_wait must be a whole number of seconds");
        }
        std::uint32_t seconds = 0;
        for (const char c : digits) {
            seconds = std::min<std::uint32_t>(seconds * 10 + static_cast<std::uint32_t>(c - '0'), wait_s_max);
        }
        return seconds;
    }
    return wait_s_max;
}

}  // namespace vembed::service
