#include "policy/retry/post_outcome.hpp"

#include <array>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

constexpr std::array authors{response_author::uncertain, response_author::service, response_author::intermediary};

post_outcome classify(std::uint64_t bytes_written, bool complete, int status, response_author author) {
    post_evidence evidence;
    evidence.bytes_written = bytes_written;
    evidence.response_complete = complete;
    evidence.status = status;
    evidence.author = author;
    return classify_post(evidence);
}

// As the pipeline does it, for a response that was read whole.
post_outcome outcome_of(int status, std::string_view code, std::string_view body) {
    return classify(900, true, status, author_of(status, code, begins_like_json(body)));
}

std::string error_body(std::string_view code) {
    return R"({"error":")" + std::string(code) + R"(","message":"m"})";
}

TEST(post_outcome, without_a_whole_response_only_the_bytes_written_count) {
    for (const int status : {0, 100, 200, 201, 302, 400, 413, 429, 500, 503}) {
        for (const response_author author : authors) {
            EXPECT_EQ(classify(0, false, status, author), post_outcome::not_sent) << status;
            EXPECT_EQ(classify(1, false, status, author), post_outcome::unknown) << status;
            EXPECT_EQ(classify(1u << 30, false, status, author), post_outcome::unknown) << status;
        }
    }
}

TEST(post_outcome, a_whole_response_decides_by_status_and_author) {
    for (int status = 0; status <= 999; ++status) {
        for (const response_author author : authors) {
            const bool refused =
                author == response_author::service || (author == response_author::intermediary && status >= 300 &&
                                                       status <= 499 && status != 408 && status != 499);
            const post_outcome wanted = status >= 200 && status <= 299 ? post_outcome::accepted
                                        : refused                      ? post_outcome::rejected
                                                                       : post_outcome::unknown;
            EXPECT_EQ(classify(500, true, status, author), wanted) << status;
            EXPECT_EQ(classify(0, true, status, author), wanted) << "a response proves that something was sent";
        }
    }
}

// Every documented code under every status: only its own makes it a rejection.
TEST(post_outcome, a_refusal_is_a_documented_status_with_its_documented_code) {
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
            EXPECT_EQ(outcome_of(status, code, error_body(code)), wanted) << status << ' ' << code;
        }
    }
}

TEST(post_outcome, what_is_not_json_comes_from_a_proxy) {
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

TEST(post_outcome, any_json_that_is_no_documented_refusal_is_in_doubt) {
    for (const std::string_view body : {"{}", "{\"message\":\"Forbidden\"}", "[1]", "\"no\"", "null", "404", "true",
                                        " {\"error\":7}", "{\"error\":", "\xef\xbb\xbf{}"}) {
        for (const int status : {302, 400, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504}) {
            EXPECT_EQ(outcome_of(status, "", body), post_outcome::unknown) << status << body;
        }
    }
}

}  // namespace
}  // namespace vembed::policy
