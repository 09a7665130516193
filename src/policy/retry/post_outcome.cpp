#include "policy/retry/post_outcome.hpp"

#include "policy/input/body_text.hpp"

namespace vembed::policy {
namespace {

// A sender of 408 or 499 gave up waiting: what it passed on before that may still be worked on.
bool refuses_by_status_alone(int status) noexcept {
    return status >= 300 && status < 500 && status != 408 && status != 499;
}

}  // namespace

bool begins_like_json(std::string_view body) noexcept {
    body = body_text(body);
    if (body.empty()) {
        return false;
    }
    body = body.substr(0, body.find_last_not_of(" \t\r\n") + 1);
    constexpr std::string_view openings = "{[\"";
    return openings.find(body.front()) != std::string_view::npos || body == "null" || body == "true" ||
           body == "false" || body.find_first_not_of("+-0123456789.eE") == std::string_view::npos;
}

post_outcome classify_post(const post_evidence& evidence) noexcept {
    if (!evidence.response_complete) {
        return evidence.bytes_written == 0 ? post_outcome::not_sent : post_outcome::unknown;
    }
    if (evidence.status >= 200 && evidence.status < 300) {
        return post_outcome::accepted;
    }
    switch (evidence.author) {
        case response_author::service: return post_outcome::rejected;
        case response_author::intermediary:
            return refuses_by_status_alone(evidence.status) ? post_outcome::rejected : post_outcome::unknown;
        case response_author::uncertain: break;
    }
    return post_outcome::unknown;
}

}  // namespace vembed::policy
