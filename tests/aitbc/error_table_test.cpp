#include "aitbc/wire/error_table.hpp"

#include <gtest/gtest.h>

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;
using policy::response_author;

constexpr wall_time now{std::chrono::seconds{1696004797}};  // Fri, 29 Sep 2023 16:26:37 GMT

failed_response response(int status, std::string_view body) {
    failed_response made;
    made.status = status;
    made.body = body;
    return made;
}

struct error_row {
    int status;
    const char* body;
    errc kind;
    refusal what;
    const char* told;  // Part of the message.
};

TEST(aitbc_errors, every_form_of_body) {
    for (
        const error_row& r : {
            error_row{400, R"({"error":"no such model"})", errc::invalid_request, refusal::request, "no such model"},
            error_row{422, R"({"detail":[{"loc":["body","items",0],"msg":"Field required","type":"missing"}]})",
                      errc::invalid_request, refusal::request, "body.items.0: Field required"},
            error_row{
                422,
                R"({"error":{"code":"VALIDATION_ERROR","message":"bad","details":[{"field":"ttl","message":"too long"}]},
                     "timestamp":"2026-01-01T00:00:00+00:00Z"})",
                errc::invalid_request, refusal::request, "bad; ttl: too long"},
            error_row{401, R"({"detail":"invalid api key"})", errc::unauthorized, refusal::caller, "invalid api key"},
            error_row{402, R"({"error":{"code":"PAYMENT_ERROR","message":"m"}})", errc::quota_exceeded, refusal::caller,
                      "balance"},
            error_row{403, R"({"detail":"role"})", errc::unauthorized, refusal::caller, "role client"},
            error_row{401, "<html>", errc::api, refusal::caller, "proxy"},
            error_row{404, R"({"detail":"job not found"})", errc::not_found, refusal::job_unknown, "another client"},
            error_row{404, R"({"detail":"Not Found"})", errc::not_found, refusal::route_absent, "base URL"},
            error_row{404, R"({"error":{"type":"http_error","message":"Not Found"}})", errc::not_found,
                      refusal::route_absent, "base URL"},
            error_row{404, "<html>", errc::not_found, refusal::route_absent, "base URL"},
            error_row{404, "", errc::not_found, refusal::route_absent, "base URL"},
            error_row{405, R"({"detail":"Method Not Allowed"})", errc::api, refusal::method_absent, "another form"},
            error_row{409, R"({"detail":"job not cancelable"})", errc::api, refusal::conflict, "not cancelable"},
            error_row{425, R"({"detail":"job not ready"})", errc::api, refusal::not_ready, "not ready"},
            error_row{413, R"({"error":{"type":"http_error","message":"m","status_code":413,"path":"/"}})",
                      errc::request_too_large, refusal::request, "smaller"},
            error_row{413, "<html>", errc::request_too_large, refusal::request, "smaller"},
            error_row{429, R"({"detail":"slow"})", errc::rate_limited, refusal::rate, "slow"},
            error_row{500, R"({"error":{"type":"internal_error","message":"m"}})", errc::api, refusal::service, "m"},
            error_row{502, "<html>Bad Gateway</html>", errc::api, refusal::service, "proxy"},
            error_row{503, "", errc::api, refusal::service, "503"},
            error_row{418, "[]", errc::api, refusal::service, "418"},
            error_row{307, "", errc::api, refusal::service, "redirect"},
        }) {
        const mapped_refusal mapped = map_error(response(r.status, r.body), now);
        EXPECT_EQ(mapped.error.kind, r.kind) << r.status << r.body << mapped.error;
        EXPECT_EQ(mapped.what, r.what) << r.status << r.body;
        EXPECT_EQ(mapped.error.http_status, r.status);
        EXPECT_NE(mapped.error.message.find(r.told), std::string::npos) << mapped.error;
    }
}

TEST(aitbc_errors, the_delay_is_the_headers_then_the_bodys_then_a_minute) {
    struct delay {
        int status;
        const char* header;
        const char* body;
        std::optional<std::chrono::seconds> wanted;
    };
    constexpr const char* details = R"({"error":{"code":"RATE_LIMIT_EXCEEDED","details":[{"retry_after":7.2}]}})";
    for (const delay& d : {
             delay{429, "60", details, 60s},
             delay{429, "Fri, 29 Sep 2023 16:26:47 GMT", "", 10s},
             delay{429, nullptr, details, 8s},
             delay{429, "soon", details, 8s},
             delay{429, nullptr, R"({"error":{"details":{"retry_after":"9"}}})", 9s},
             delay{429, nullptr, R"({"error":{"details":[{"retry_after":-1}]}})", 60s},
             delay{429, nullptr, R"({"error":"text"})", 60s},
             delay{429, nullptr, "<html>", 60s},
             delay{429, "7200", "", 2h},
             delay{429, "2000000000", "", 24h},
             delay{503, "5", "", 5s},
             delay{503, nullptr, "", std::nullopt},
             delay{404, "5", "", std::nullopt},
         }) {
        failed_response from = response(d.status, d.body);
        if (d.header != nullptr) {
            from.retry_after = d.header;
        }
        EXPECT_EQ(map_error(from, now).error.retry_after, d.wanted) << d.status << ' ' << d.body;
    }
}

TEST(aitbc_errors, a_body_of_the_other_dialect_names_the_option) {
    struct other {
        dialect asked_in;
        bool submits;
        int status;
        const char* body;
        refusal what;
        const char* told;
    };
    constexpr const char* no_payload = R"({"detail":[{"loc":["body","payload"],"msg":"Field required"}]})";
    constexpr const char* no_input = R"({"error":{"code":"VALIDATION_ERROR","details":[{"field":"input"}]}})";
    for (const other& o : {
             other{dialect::docs, true, 422, no_payload, refusal::other_dialect, "`dialect` to coordinator"},
             other{dialect::coordinator, true, 422, no_input, refusal::other_dialect, "`dialect` to docs"},
             other{dialect::coordinator, true, 422, no_payload, refusal::request, "body.payload"},
             other{dialect::docs, false, 422, no_payload, refusal::request, "body.payload"},
             other{dialect::coordinator, true, 422, R"({"detail":[{"loc":["body","payload","model"],"msg":"m"}]})",
                   refusal::request, "payload.model"},
             other{dialect::docs, true, 500, "", refusal::service, "`dialect` to coordinator"},
         }) {
        failed_response from = response(o.status, o.body);
        from.asked_in = o.asked_in;
        from.submits = o.submits;
        const mapped_refusal mapped = map_error(from, now);
        EXPECT_EQ(mapped.what, o.what) << o.body;
        EXPECT_NE(mapped.error.message.find(o.told), std::string::npos) << mapped.error;
    }
}

TEST(aitbc_errors, tell_who_wrote_them) {
    for (const auto& [status, body, author] : {
             std::tuple(422, R"({"detail":"x"})", response_author::service),
             std::tuple(429, R"({"error":"x"})", response_author::service),
             std::tuple(500, R"({"error":{"type":"internal_error"}})", response_author::uncertain),
             std::tuple(422, R"({"other":1})", response_author::uncertain),
             std::tuple(408, R"({"detail":"x"})", response_author::uncertain),
             std::tuple(429, "<html>", response_author::intermediary),
             std::tuple(502, "", response_author::intermediary),
         }) {
        EXPECT_EQ(map_error(response(status, body), now).author, author) << status << body;
    }
}

TEST(aitbc_errors, never_show_the_key_or_too_much) {
    failed_response from = response(401, R"({"error":{"code":"k-123456","message":"invalid key k-123456"}})");
    from.secret = "k-123456";
    const error f = map_error(from, now).error;
    EXPECT_EQ((f.describe() + f.raw_body).find("k-123456"), std::string::npos);
    EXPECT_EQ(map_error(response(500, R"({"error":"x","client":"secret"})"), now).error.raw_body, "");
    const std::string huge = R"({"error":")" + std::string(100'000, 'x') + "\"}";
    const error big = map_error(response(500, huge), now).error;
    EXPECT_LE(big.message.size(), 2000u);
    EXPECT_LE(big.raw_body.size(), error::max_raw_body);
    EXPECT_FALSE(map_error(response(500, std::string(2 << 20, '[')), now).error.message.empty());
}

TEST(aitbc_errors, a_result_that_is_not_ready_is_waited_for_only_until_the_job_ends) {
    for (const job_state state : {job_state::waiting, job_state::running, job_state::unknown}) {
        EXPECT_TRUE(waits_on_not_ready(state));
    }
    for (const job_state state : {job_state::completed, job_state::failed, job_state::cancelled, job_state::expired}) {
        EXPECT_FALSE(waits_on_not_ready(state));
    }
}

}  // namespace
}  // namespace vembed::aitbc
