#include "policy/retry/post_outcome.hpp"

#include <algorithm>
#include <array>

#include "policy/input/body_text.hpp"

namespace vembed::policy {
namespace {

// A sender of 408 or 499 gave up waiting: what it passed on before that may still be worked on.
bool refuses_by_status_alone(int status) noexcept {
    return status >= 300 && status < 500 && status != 408 && status != 499;
}

struct refusal {
    int status;
    std::string_view code;
};

constexpr std::array documented_refusals{
    refusal{400, "invalid_request"},   refusal{400, "unknown_model"},       refusal{401, "unauthorized"},
    refusal{402, "quota_exceeded"},    refusal{403, "unauthorized"},        refusal{404, "not_found"},
    refusal{413, "request_too_large"}, refusal{422, "verification_failed"}, refusal{429, "rate_limited"},
    refusal{429, "too_many_inflight"}, refusal{429, "quota_exceeded"},      refusal{503, "service_busy"},
};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool mentions_trial(std::string_view code) noexcept {
    constexpr std::string_view word = "trial";
    return std::search(code.begin(), code.end(), word.begin(), word.end(),
                       [](char a, char b) { return lower(a) == b; }) != code.end();
}

bool is_documented_refusal(int status, std::string_view code) noexcept {
    return (status == 402 && mentions_trial(code)) ||
           std::any_of(documented_refusals.begin(), documented_refusals.end(),
                       [=](const refusal& r) { return r.status == status && r.code == code; });
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

response_author author_of(int status, std::string_view code, bool may_be_json) noexcept {
    if (is_documented_refusal(status, code)) {
        return response_author::service;
    }
    return may_be_json ? response_author::uncertain : response_author::intermediary;
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
