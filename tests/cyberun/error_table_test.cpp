#include "cyberun/wire/error_table.hpp"

#include <gtest/gtest.h>

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using policy::response_author;

constexpr wall_time now{std::chrono::seconds{1696004797}};  // Fri, 29 Sep 2023 16:26:37 GMT

failed_response response(int status, std::string_view body, subject about = subject::other) {
    failed_response made;
    made.status = status;
    made.body = body;
    made.about = about;
    return made;
}

struct error_row {
    int status;
    const char* body;
    subject about;
    errc kind;
    refusal what;
    const char* told;  // Part of the message.
};

TEST(cyberun_errors, every_form_of_body) {
    constexpr subject other = subject::other;
    for (const error_row& r : {
             error_row{400, R"({"error":"no such id"})", other, errc::invalid_request, refusal::request, "no such id"},
             error_row{400, R"({"error":{"code":"E1","message":"team missing"}})", other, errc::invalid_request,
                       refusal::request, "team missing"},
             error_row{422, R"({"code":"bad_param","message":"scale is over 4"})", other, errc::invalid_request,
                       refusal::request, "scale is over 4"},
             error_row{422, R"({"detail":[{"loc":["body","scale"],"msg":"too big"}]})", other, errc::invalid_request,
                       refusal::request, "body.scale: too big"},
             error_row{413, R"({"detail":"500 MB"})", other, errc::request_too_large, refusal::request, "500 MB"},
             error_row{400, "plain text\n", other, errc::invalid_request, refusal::request, "plain text"},
             error_row{418, "", other, errc::api, refusal::request, "as written"},
             error_row{401, R"({"message":"expired"})", other, errc::unauthorized, refusal::key, "expired"},
             error_row{401, "", other, errc::unauthorized, refusal::key, "revoked"},
             error_row{401, "<html>", other, errc::api, refusal::key, "proxy"},
             error_row{403, R"({"error":"feature cloud_tasks is not licensed"})", other, errc::api, refusal::forbidden,
                       "cloud_tasks"},
             error_row{403, "<html>", other, errc::api, refusal::forbidden, "proxy"},
             error_row{404, "{}", subject::workflow, errc::not_found, refusal::unknown, "slug"},
             error_row{404, "{}", subject::task, errc::not_found, refusal::unknown, "no such task"},
             error_row{404, "404 page not found", other, errc::not_found, refusal::unknown, "base URL"},
             error_row{409, "{}", subject::workflow, errc::api, refusal::conflict, "disabled"},
             error_row{412, "{}", subject::upload, errc::api, refusal::conflict, "another upload URL"},
             error_row{409, "{}", subject::task, errc::api, refusal::conflict, "present state"},
             error_row{429, R"({"error":"slow"})", other, errc::rate_limited, refusal::rate, "slow"},
             error_row{503, "", other, errc::service_busy, refusal::rate, "busy"},
             error_row{500, R"({"error":"boom"})", other, errc::api, refusal::service, "boom"},
             error_row{502, "<html>Bad Gateway</html>", other, errc::api, refusal::service, "proxy"},
             error_row{408, "", other, errc::api, refusal::service, "408"},
             error_row{307, "", other, errc::api, refusal::service, "redirect"},
         }) {
        const mapped_refusal mapped = map_error(response(r.status, r.body, r.about), now);
        EXPECT_EQ(mapped.error.kind, r.kind) << r.status << r.body << mapped.error;
        EXPECT_EQ(mapped.what, r.what) << r.status << r.body;
        EXPECT_EQ(mapped.error.http_status, r.status);
        EXPECT_NE(mapped.error.message.find(r.told), std::string::npos) << mapped.error;
        if (r.status == 403) {
            EXPECT_EQ(mapped.error.message.find("accept the API key"), std::string::npos) << mapped.error;
        }
    }
    EXPECT_EQ(map_error(response(400, R"({"error":{"code":"E1"}})"), now).error.code, "E1");
    EXPECT_EQ(map_error(response(400, R"({"code":"E2","message":"m"})"), now).error.code, "E2");
}

TEST(cyberun_errors, texts_are_bounded_and_without_the_key) {
    const std::string key = "sk-0123456789abcdef";
    const std::string body = std::string(2040, 'x') + key + std::string(9000, 'y');
    failed_response from = response(400, body);
    from.secret = key;
    const mapped_refusal mapped = map_error(from, now);
    EXPECT_EQ(mapped.error.message.find("sk-0"), std::string::npos);
    EXPECT_EQ(mapped.error.raw_body.find("sk-0"), std::string::npos);
    EXPECT_LE(mapped.error.message.size(), 2048u + 100u);
    EXPECT_LE(mapped.error.raw_body.size(), error::max_raw_body);
}

TEST(cyberun_errors, the_delay_is_the_headers_then_the_bodys_then_the_assumed_one) {
    struct delay {
        int status;
        const char* header;
        const char* body;
        std::optional<std::chrono::seconds> wanted;
        std::optional<std::chrono::seconds> asked;
    };
    for (const delay& d : {
             delay{429, "60", "", 60s, 60s},
             delay{429, "Fri, 29 Sep 2023 16:26:47 GMT", "", 10s, 10s},
             delay{429, nullptr, R"({"retry_after":7.5})", 8s, 8s},
             delay{429, "soon", "", 5s, std::nullopt},
             delay{503, nullptr, "<html>", 5s, std::nullopt},
             delay{503, "2000000000", "", 24h, 24h},
             delay{500, "5", "", std::nullopt, 5s},
             delay{404, nullptr, "", std::nullopt, std::nullopt},
         }) {
        failed_response from = response(d.status, d.body);
        if (d.header != nullptr) {
            from.retry_after = d.header;
        }
        const mapped_refusal mapped = map_error(from, now);
        EXPECT_EQ(mapped.error.retry_after, d.wanted) << d.status << ' ' << d.body;
        EXPECT_EQ(mapped.asked_delay, d.asked) << d.status << ' ' << d.body;
    }
}

TEST(cyberun_errors, tell_who_wrote_them) {
    for (const auto& [status, body, author] : {
             std::tuple(422, R"({"detail":"x"})", response_author::service),
             std::tuple(409, "{}", response_author::service),
             std::tuple(404, "no", response_author::intermediary),
             std::tuple(408, "{}", response_author::uncertain),
             std::tuple(500, R"({"error":"x"})", response_author::uncertain),
             std::tuple(503, R"({"error":"x"})", response_author::uncertain),
             std::tuple(502, "<html>", response_author::intermediary),
         }) {
        EXPECT_EQ(map_error(response(status, body), now).author, author) << status << body;
    }
}

mapped_refusal refused(refusal what, std::optional<std::chrono::seconds> asked = {}) {
    mapped_refusal made;
    made.what = what;
    made.asked_delay = asked;
    return made;
}

TEST(cyberun_errors, when_a_get_is_repeated) {
    struct row {
        refusal what;
        std::optional<std::chrono::seconds> asked;
        std::uint32_t made;
        std::optional<std::chrono::nanoseconds> since_accepted;
        std::optional<std::chrono::milliseconds> wanted;
    };
    for (const row& r : {
             row{refusal::rate, 7s, 1, {}, 7s},
             row{refusal::rate, 0s, 1, {}, 1s},
             row{refusal::rate, {}, 1, {}, 5s},
             row{refusal::rate, {}, 2, {}, 10s},
             row{refusal::rate, {}, 4, {}, 40s},
             row{refusal::rate, {}, 5, {}, 60s},
             row{refusal::rate, {}, 500, {}, 60s},
             row{refusal::service, {}, 1, {}, 5s},
             row{refusal::unreached, {}, 3, {}, 20s},
             row{refusal::unknown, {}, 1, {}, {}},
             row{refusal::unknown, {}, 1, 4s, 1s},
             row{refusal::unknown, {}, 2, 4999ms, 2s},
             row{refusal::unknown, {}, 3, 1s, {}},
             row{refusal::unknown, {}, 1, 5s, {}},
             row{refusal::request, 3s, 1, 0s, {}},
             row{refusal::key, {}, 1, 0s, {}},
             row{refusal::forbidden, {}, 1, 0s, {}},
             row{refusal::conflict, {}, 1, 0s, {}},
         }) {
        attempts so_far(r.made);
        so_far.since_accepted = r.since_accepted;
        EXPECT_EQ(retry_delay(refused(r.what, r.asked), so_far, 0), r.wanted) << static_cast<int>(r.what) << r.made;
        const auto late = retry_delay(refused(r.what, r.asked), so_far, 99);
        EXPECT_EQ(late.has_value(), r.wanted.has_value());
        EXPECT_TRUE(!late || (*late > *r.wanted && *late < *r.wanted * 11 / 10 + 10ms));
    }
    error certificate(errc::network, "certificate");
    certificate.lasting = true;
    EXPECT_FALSE(retry_delay(unreached(certificate), attempts(1), 0));
    EXPECT_TRUE(retry_delay(unreached(error(errc::network, "reset")), attempts(1), 0));
}

}  // namespace
}  // namespace vembed::cyberun
