#include "cyberian/wire/error_table.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace vembed::cyberian {
namespace {

using namespace std::chrono_literals;

constexpr wall_time now{std::chrono::seconds{1696004797}};  // Fri, 29 Sep 2023 16:26:37 GMT

error mapped(int status, std::string body, std::optional<std::string> retry_after = std::nullopt) {
    http::response from;
    from.head.status = status;
    from.body = std::move(body);
    if (retry_after) {
        from.head.headers.emplace_back("retry-after", *retry_after);
    }
    return map_error(from, http::call(), now).error;
}

std::string error_body(std::string_view code) {
    return R"({"error":")" + std::string(code) + R"("})";
}

struct row {
    int status;
    std::string_view code;  // Empty: no documented body.
    errc kind;
};

TEST(error_table, every_documented_row) {
    for (const row& r : {
             row{400, "invalid_request", errc::invalid_request},
             row{400, "unknown_model", errc::unknown_model},
             row{401, "unauthorized", errc::unauthorized},
             row{403, "unauthorized", errc::unauthorized},
             row{402, "trial_expired", errc::trial_expired},
             row{402, "free_trial_over", errc::trial_expired},
             row{402, "TRIAL_ENDED", errc::trial_expired},
             row{402, "quota_exceeded", errc::quota_exceeded},
             row{404, "not_found", errc::not_found},
             row{413, "request_too_large", errc::request_too_large},
             row{422, "verification_failed", errc::verification_failed},
             row{429, "rate_limited", errc::rate_limited},
             row{429, "too_many_inflight", errc::too_many_inflight},
             row{429, "quota_exceeded", errc::quota_exceeded},
             row{503, "service_busy", errc::service_busy},
             row{504, "verification_timeout", errc::verification_timeout},
         }) {
        const error f = mapped(r.status, error_body(r.code));
        EXPECT_EQ(f.kind, r.kind) << r.status << ' ' << r.code << ": " << to_string(f.kind);
        EXPECT_EQ(f.http_status, r.status);
        EXPECT_EQ(f.code, r.code);
        EXPECT_FALSE(f.message.empty());
        EXPECT_EQ(f.raw_body, error_body(r.code));
    }
}

TEST(error_table, codes_nobody_documented_go_by_their_status) {
    for (const row& r : {
             row{400, "something_new", errc::invalid_request},
             row{401, "something_new", errc::unauthorized},
             row{403, "forbidden", errc::api},
             row{402, "something_new", errc::quota_exceeded},
             row{404, "something_new", errc::not_found},
             row{413, "something_new", errc::request_too_large},
             row{422, "something_new", errc::invalid_request},
             row{429, "something_new", errc::rate_limited},
             row{503, "something_new", errc::service_busy},
             row{504, "something_new", errc::api},
             row{500, "internal", errc::api},
             row{418, "teapot", errc::api},
             row{405, "method_not_allowed", errc::api},
         }) {
        EXPECT_EQ(mapped(r.status, error_body(r.code)).kind, r.kind) << r.status;
    }
}

TEST(error_table, a_proxys_page_or_nothing_still_says_what_happened) {
    for (const std::string& body :
         {std::string("<html><body><h1>502 Bad Gateway</h1></body></html>"), std::string(), std::string("{\"error\":"),
          std::string("[1,2]"), std::string("\"text\""), std::string("{\"error\":{\"code\":1}}"),
          std::string("{\"error\":7}"), std::string(100'000, '[')}) {
        for (const row& r :
             {row{502, "", errc::api}, row{500, "", errc::api}, row{504, "", errc::api}, row{400, "", errc::api},
              row{404, "", errc::api}, row{401, "", errc::api}, row{402, "", errc::api}, row{403, "", errc::api},
              row{422, "", errc::api}, row{413, "", errc::request_too_large}, row{429, "", errc::rate_limited},
              row{503, "", errc::service_busy}}) {
            const error f = mapped(r.status, body);
            EXPECT_EQ(f.kind, r.kind) << r.status << ' ' << body.substr(0, 30);
            EXPECT_EQ(f.code, "") << "an empty code tells a proxy's answer";
            EXPECT_FALSE(f.message.empty());
            EXPECT_LE(f.raw_body.size(), error::max_raw_body);
            EXPECT_EQ(f.raw_body, body.substr(0, error::max_raw_body));
        }
    }
    EXPECT_NE(mapped(502, "<html>").message.find("502"), std::string::npos);
    EXPECT_NE(mapped(502, "").message.find("proxy"), std::string::npos);
    for (const int status : {401, 403}) {
        EXPECT_NE(mapped(status, "<html>").message.find("a proxy or firewall refused"), std::string::npos);
    }
}

TEST(error_table, redirects_name_the_base_url) {
    for (const int status : {301, 302, 307, 308}) {
        const error f = mapped(status, R"({"error":"x","message":"go there"})");
        EXPECT_EQ(f.kind, errc::api);
        EXPECT_NE(f.message.find("base URL"), std::string::npos) << f.message;
    }
}

TEST(error_table, takes_the_services_words) {
    const error f = mapped(400, R"({"error":"invalid_request","message":"inputs[3] is empty","extra":[1]})");
    EXPECT_EQ(f.message, "inputs[3] is empty");
    const error v = mapped(422, R"({"error":"verification_failed","reason":"outputs differ","job_id":"j7"})");
    EXPECT_EQ(v.message, "outputs differ");
    EXPECT_EQ(v.job_id, "j7");
    EXPECT_FALSE(mapped(400, R"({"error":"invalid_request","message":7,"job_id":[]})").message.empty());
}

TEST(error_table, texts_are_bounded_and_stay_utf_8) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
        std::string text(shift, 'a');
        for (int i = 0; i < 2000; ++i) {
            text += "日";
        }
        const error f = mapped(400, R"({"error":"invalid_request","message":")" + text + "\"}");
        EXPECT_LE(f.message.size(), 1000u);
        EXPECT_GT(f.message.size(), 990u);
        boost::json::error_code error;
        (void)boost::json::parse("\"" + f.message + "\"", error);
        EXPECT_FALSE(error) << "half a character";
    }
}

TEST(error_table, retry_after_in_all_its_forms) {
    struct form {
        int status;
        std::string_view code;
        std::optional<std::string> header;
        std::string body;
        std::optional<std::chrono::seconds> wanted;
    };
    for (const form& c : {
             form{429, "rate_limited", "7", "", 7s},
             form{503, "service_busy", " 7 ", "", 7s},
             form{429, "too_many_inflight", "7", "", 7s},
             form{429, "rate_limited", "Fri, 29 Sep 2023 16:26:57 GMT", "", 20s},
             form{503, "service_busy", "Friday, 29-Sep-23 16:26:57 GMT", "", 20s},
             form{503, "service_busy", "Fri Sep 29 16:26:57 2023", "", 20s},
             form{429, "rate_limited", std::nullopt, "", 60s},
             form{429, "too_many_inflight", std::nullopt, "", 60s},
             form{503, "service_busy", std::nullopt, "", 30s},
             form{429, "rate_limited", "soon", "", 60s},
             form{503, "service_busy", "-1", "", 30s},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":9)", 9s},
             form{503, "service_busy", std::nullopt, R"(,"retry_after_sec":9)", 9s},
             form{429, "rate_limited", "7", R"(,"retry_after_sec":9)", 7s},
             form{429, "rate_limited", "soon", R"(,"retry_after_sec":9)", 9s},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":0)", 0s},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":8.5)", 9s},
             form{429, "rate_limited", "0", "", 0s},
             form{503, "service_busy", "0.5", "", 1s},
             form{503, "service_busy", "Fri, 29 Sep 2023 16:00:00 GMT", "", 0s},
             form{402, "quota_exceeded", "0", "", std::nullopt},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":-5)", 60s},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":"9")", 60s},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":9e99)", 60s},
             form{429, "rate_limited", std::nullopt, R"(,"retry_after_sec":18446744073709551615)", 60s},
             form{402, "quota_exceeded", "100", "", 100s},
             form{402, "quota_exceeded", std::nullopt, "", std::nullopt},
             form{400, "invalid_request", std::nullopt, "", std::nullopt},
             form{502, "", "5", "", 5s},
             // What would stop an account for years is not believed.
             form{503, "service_busy", "2147483647", "", 86400s},
             form{429, "too_many_inflight", "86401", "", 86400s},
             form{503, "service_busy", "Tue, 29 Sep 2026 16:26:57 GMT", "", 86400s},
             form{503, "service_busy", std::nullopt, R"(,"retry_after_sec":31536000)", 86400s},
             form{402, "quota_exceeded", "2678400", "", 2678400s},
             form{402, "quota_exceeded", "2147483647", "", 2764800s},
             form{429, "rate_limited", "2147483647", "", 2764800s},
         }) {
        const error f = mapped(c.status, R"({"error":")" + std::string(c.code) + "\"" + c.body + "}", c.header);
        EXPECT_EQ(f.retry_after, c.wanted) << c.status << ' ' << c.header.value_or("none") << ' ' << c.body;
    }
}

TEST(error_table, a_date_counts_from_the_responses_own_date) {
    http::response from;
    from.head.status = 503;
    from.body = error_body("service_busy");
    from.head.headers.emplace_back("Date", "Fri, 29 Sep 2023 20:00:00 GMT");
    from.head.headers.emplace_back("Retry-After", "Fri, 29 Sep 2023 20:00:07 GMT");
    EXPECT_EQ(map_error(from, http::call(), now).error.retry_after, 7s);
}

// Whether a proxy may have written it: a body that is not even the beginning of JSON.
TEST(error_table, tells_whether_a_body_may_be_json) {
    const auto may_be_json = [](std::string body) {
        http::response from;
        from.head.status = 429;
        from.body = std::move(body);
        return map_error(from, http::call(), now).author != policy::response_author::intermediary;
    };
    const std::string deep(300, '[');
    for (const std::string& body :
         {std::string("{}"), std::string(R"({"error":"x"})"), std::string("\xef\xbb\xbf{}"), std::string(" [1] \n"),
          std::string("null"), std::string("404"), std::string(R"({"error":)"), std::string(R"({"message":"cut of)"),
          std::string(R"({"message":"\ud83d"})"), std::string(R"({"message":"\ud8)"), std::string("{\"m\":\"\xc3\"}"),
          std::string("[1e400,1e99999999999]"), deep, std::string(R"("no")")}) {
        EXPECT_TRUE(may_be_json(body)) << body;
    }
    for (const std::string& body :
         {std::string(), std::string(" \r\n"), std::string("<html>"), std::string("[WAF] denied"),
          std::string("[blocked]"), std::string("\"Request\" blocked"), std::string("{{error}}"), std::string("404 no"),
          std::string("{} {}"), std::string("1.2.3")}) {
        EXPECT_FALSE(may_be_json(body)) << body;
    }
}

// A text that was cut within a character, as escape or as bytes, must not hide the code beside it.
TEST(error_table, half_a_character_in_a_message_is_replaced) {
    for (const char* half : {R"(\ud83d)", R"(\ud83d\ud83d)", R"(\ude00)", R"(\ud83d\n)", "\xf0\x9f\x98", "\xff"}) {
        const error f =
            mapped(400, R"({"error":"invalid_request","message":"inputs[0] is bad: )" + std::string(half) + "\"}");
        EXPECT_EQ(f.kind, errc::invalid_request) << half;
        EXPECT_EQ(f.code, "invalid_request") << half;
        EXPECT_TRUE(f.message.starts_with("inputs[0] is bad: \xef\xbf\xbd")) << f.message;
    }
    EXPECT_EQ(mapped(400, "\xef\xbb\xbf" + error_body("unknown_model")).kind, errc::unknown_model)
        << "a byte order mark";
    EXPECT_EQ(mapped(400, R"({"error":"invalid_request","message":"\ud83d\ude00 \\ud83d"})").message,
              "\xf0\x9f\x98\x80 \\ud83d")
        << "what is whole stays";
}

TEST(error_table, a_rate_limit_of_hours_is_a_quota) {
    EXPECT_EQ(mapped(429, error_body("rate_limited"), "3599").kind, errc::rate_limited);
    const error f = mapped(429, error_body("rate_limited"), "3600");
    EXPECT_EQ(f.kind, errc::quota_exceeded);
    EXPECT_EQ(f.retry_after, 3600s);
    EXPECT_EQ(mapped(429, "", "86400").kind, errc::quota_exceeded);
    EXPECT_EQ(mapped(429, error_body("too_many_inflight"), "86400").kind, errc::too_many_inflight);
    EXPECT_EQ(mapped(503, error_body("service_busy"), "86400").kind, errc::service_busy);
}

}  // namespace
}  // namespace vembed::cyberian
