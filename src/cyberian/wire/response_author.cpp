#include "cyberian/wire/response_author.hpp"

#include <algorithm>
#include <array>

namespace vembed::cyberian {
namespace {

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

policy::response_author author_of(int status, std::string_view code, bool may_be_json) noexcept {
    if (is_documented_refusal(status, code)) {
        return policy::response_author::service;
    }
    return may_be_json ? policy::response_author::uncertain : policy::response_author::intermediary;
}

}  // namespace vembed::cyberian
