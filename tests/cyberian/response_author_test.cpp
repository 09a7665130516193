#include "cyberian/wire/response_author.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vembed::cyberian {
namespace {

using policy::post_outcome;

// As the pipeline does it, for a response that was read whole.
post_outcome outcome_of(int status, std::string_view code, std::string_view body) {
    policy::post_evidence evidence;
    evidence.bytes_written = 900;
    evidence.response_complete = true;
    evidence.status = status;
    evidence.author = author_of(status, code, policy::begins_like_json(body));
    return classify_post(evidence);
}

std::string body_with(std::string_view code) {
    return R"({"error":")" + std::string(code) + R"(","message":"m"})";
}

// Every documented code under every status: only its own makes it a rejection.
TEST(response_author, a_refusal_is_a_documented_status_with_its_documented_code) {
    const std::map<std::string_view, std::set<int>> documented{{"invalid_request", {400}},
                                                               {"unknown_model", {400}},
                                                               {"unauthorized", {401, 403}},
                                                               {"trial_expired", {402}},
                                                               {"Trial_over", {402}},
                                                               {"quota_exceeded", {402, 429}},
                                                               {"not_found", {404}},
                                                               {"request_too_large", {413}},
                                                               {"verification_failed", {422}},
                                                               {"rate_limited", {429}},
                                                               {"too_many_inflight", {429}},
                                                               {"service_busy", {503}},
                                                               {"verification_timeout", {}},
                                                               {"internal_error", {}},
                                                               {"forbidden", {}},
                                                               {"", {}}};
    for (const auto& [code, statuses] : documented) {
        for (int status = 300; status <= 599; ++status) {
            const post_outcome wanted = statuses.contains(status) ? post_outcome::rejected : post_outcome::unknown;
            EXPECT_EQ(outcome_of(status, code, body_with(code)), wanted) << status << ' ' << code;
        }
    }
}

TEST(response_author, what_is_not_json_comes_from_a_proxy) {
    for (const std::string_view page :
         {"<html>no</html>", "", " \r\n", "Forbidden", "404 page not found", "error: {}"}) {
        for (const int status : {300, 302, 307, 400, 401, 402, 403, 404, 405, 413, 421, 422, 429, 431, 451}) {
            EXPECT_EQ(outcome_of(status, "", page), post_outcome::rejected) << status << page;
        }
        for (const int status : {408, 499, 500, 501, 502, 503, 504, 520, 599}) {
            EXPECT_EQ(outcome_of(status, "", page), post_outcome::unknown) << status << page;
        }
    }
}

TEST(response_author, any_json_that_is_no_documented_refusal_is_in_doubt) {
    for (const std::string_view body : {"{}", "{\"message\":\"Forbidden\"}", "[1]", "\"no\"", "null", "404", "true",
                                        " {\"error\":7}", "{\"error\":", "\xef\xbb\xbf{}"}) {
        for (const int status : {302, 400, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504}) {
            EXPECT_EQ(outcome_of(status, "", body), post_outcome::unknown) << status << body;
        }
    }
}

}  // namespace
}  // namespace vembed::cyberian
