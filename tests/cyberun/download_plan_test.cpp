#include "cyberun/download/download_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using step_kind = download_step::kind;

constexpr wall_time now{std::chrono::seconds{1696004797}};
constexpr std::uint64_t cap = 1'000'000;
constexpr const char* etag = "\"v1\"";

download_state kept(std::uint64_t have, std::string tag = etag, std::optional<std::uint64_t> total = 200) {
    download_state made;
    made.have = have;
    made.etag = std::move(tag);
    made.total = total;
    return made;
}

struct response_row {
    const char* name;
    std::uint64_t have;
    const char* known_etag;
    int status;
    std::optional<std::uint64_t> length;
    const char* tag;
    const char* range;
    const char* body;
    step_kind what;
    std::uint64_t from;
    errc kind;
};

TEST(cyberun_download, what_follows_from_a_response) {
    constexpr errc none = errc::api;
    for (const response_row& r : {
             response_row{"first", 0, "", 200, 200, etag, "", "", step_kind::take, 0, none},
             response_row{"no length", 0, "", 200, {}, "", "", "", step_kind::take, 0, none},
             response_row{"changed", 50, etag, 200, 300, "\"v2\"", "", "", step_kind::take, 0, none},
             response_row{"resumed", 50, etag, 206, 150, etag, "bytes 50-199/200", "", step_kind::take, 50, none},
             response_row{"total unknown", 50, etag, 206, {}, "", "bytes 50-199/*", "", step_kind::take, 50, none},
             response_row{"another start", 50, etag, 206, 160, etag, "bytes 40-199/200", "", step_kind::ask, 0, none},
             response_row{"another total", 50, etag, 206, 250, etag, "bytes 50-299/300", "", step_kind::ask, 0, none},
             response_row{"another etag", 50, etag, 206, 150, "\"v2\"", "bytes 50-199/200", "", step_kind::ask, 0,
                          none},
             response_row{"weak etag", 50, etag, 206, 150, "W/\"v1\"", "bytes 50-199/200", "", step_kind::ask, 0, none},
             response_row{"another length", 50, etag, 206, 10, etag, "bytes 50-199/200", "", step_kind::ask, 0, none},
             response_row{"no length at all", 50, etag, 206, 0, etag, "bytes 50-199/200", "", step_kind::ask, 0, none},
             response_row{"no range", 50, etag, 206, 150, etag, "", "", step_kind::ask, 0, none},
             response_row{"not asked for", 0, "", 206, 150, etag, "bytes 0-199/200", "", step_kind::ask, 0, none},
             response_row{"whole", 200, etag, 416, {}, "", "bytes */200", "", step_kind::done, 0, none},
             response_row{"longer", 250, etag, 416, {}, "", "bytes */200", "", step_kind::ask, 0, none},
             response_row{"unsaid", 200, etag, 416, {}, "", "", "", step_kind::ask, 0, none},
             response_row{"416 unasked", 200, "", 416, {}, "", "bytes */200", "", step_kind::ask, 0, none},
             response_row{"too large", 0, "", 200, cap + 1, etag, "", "", step_kind::fail, 0, errc::response_too_large},
             response_row{
                 "expired", 50, etag, 403, {}, "", "", "<Code>AccessDenied</Code>", step_kind::refresh, 0, none},
             response_row{"token", 0, "", 400, {}, "", "", "<Code>ExpiredToken</Code>", step_kind::refresh, 0, none},
             response_row{"bad", 0, "", 400, {}, "", "", "<Code>Only one auth</Code>", step_kind::fail, 0, errc::api},
             response_row{
                 "missing", 0, "", 404, {}, "", "", "<Code>NoSuchKey</Code>", step_kind::gone, 0, errc::not_found},
             response_row{"gone", 0, "", 410, {}, "", "", "", step_kind::gone, 0, errc::not_found},
             response_row{"busy", 0, "", 503, {}, "", "", "SlowDown", step_kind::back_off, 0, none},
             response_row{"late", 0, "", 408, {}, "", "", "", step_kind::back_off, 0, none},
             response_row{"rate", 0, "", 429, {}, "", "", "", step_kind::back_off, 0, none},
             response_row{"broken", 0, "", 500, {}, "", "", "", step_kind::back_off, 0, none},
             response_row{"moved", 0, "", 302, {}, "", "", "", step_kind::redirect, 0, none},
             response_row{"moved", 0, "", 308, {}, "", "", "", step_kind::redirect, 0, none},
             response_row{"unchanged", 0, "", 304, {}, "", "", "", step_kind::fail, 0, errc::api},
             response_row{"empty", 0, "", 204, {}, "", "", "", step_kind::fail, 0, errc::api},
             response_row{"refused", 0, "", 401, {}, "", "", "", step_kind::fail, 0, errc::api},
         }) {
        download_plan plan(kept(r.have, r.known_etag), cap);
        download_response head;
        head.status = r.status;
        head.content_length = r.length;
        head.etag = r.tag;
        head.content_range = r.range;
        head.body = r.body;
        const download_step step = plan.head_read(head, now, 0);
        EXPECT_EQ(step.what, r.what) << r.name;
        EXPECT_EQ(step.from, r.from) << r.name;
        const bool fails = r.what == step_kind::fail || r.what == step_kind::gone;
        ASSERT_EQ(step.failure.has_value(), fails) << r.name;
        EXPECT_TRUE(!fails || step.failure->kind == r.kind) << r.name << *step.failure;
        if (r.what == step_kind::ask) {
            EXPECT_EQ(plan.request().from, 0u) << r.name << ": starts over";
        }
    }
}

TEST(cyberun_download, only_a_strong_etag_resumes) {
    for (const auto& [tag, from] :
         {std::pair("\"v1\"", 50u), std::pair("W/\"v1\"", 0u), std::pair("", 0u), std::pair("v1", 0u),
          std::pair("\"\"", 0u), std::pair("\"a\r\nb\"", 0u), std::pair("\"a\"b\"", 0u)}) {
        const download_plan plan(kept(50, tag), cap);
        EXPECT_EQ(plan.request().from, from) << tag;
        EXPECT_EQ(plan.request().if_range, from > 0 ? tag : "") << tag;
    }
    EXPECT_EQ(download_plan(kept(0), cap).request().from, 0u);
    EXPECT_FALSE(is_strong_etag("\"" + std::string(300, 'a') + "\""));
}

download_response whole_of(std::uint64_t length, const char* tag = etag) {
    download_response made;
    made.status = 200;
    made.content_length = length;
    made.etag = tag;
    return made;
}

TEST(cyberun_download, bytes_are_counted_against_the_head_and_the_limit) {
    download_plan plan({}, 100);
    ASSERT_EQ(plan.head_read(whole_of(90), now, 0).what, step_kind::take);
    EXPECT_TRUE(plan.bytes_taken(90));
    EXPECT_EQ(plan.bytes_taken(1).error().kind, errc::protocol);
    EXPECT_EQ(plan.body_ended(true, 0).what, step_kind::done);

    download_plan endless({}, 100);
    download_response head;
    head.status = 200;
    ASSERT_EQ(endless.head_read(head, now, 0).what, step_kind::take);
    EXPECT_TRUE(endless.bytes_taken(100));
    EXPECT_EQ(endless.bytes_taken(1).error().kind, errc::response_too_large);
    EXPECT_EQ(endless.bytes_taken(~std::uint64_t{0}).error().kind, errc::response_too_large);
    EXPECT_EQ(endless.body_ended(true, 0).what, step_kind::done) << "the last chunk ends it";

    download_plan resumed(kept(50, etag, std::nullopt), 100);
    head.status = 206;
    head.content_range = "bytes 50-99/101";
    EXPECT_EQ(resumed.head_read(head, now, 0).failure->kind, errc::response_too_large) << "before it is read";

    download_plan empty({}, 100);
    ASSERT_EQ(empty.head_read(whole_of(0), now, 0).what, step_kind::take);
    EXPECT_EQ(empty.body_ended(true, 0).what, step_kind::done);
}

TEST(cyberun_download, a_part_of_the_rest_is_followed_by_the_next) {
    download_plan plan(kept(50), cap);
    download_response head;
    head.status = 206;
    head.content_range = "bytes 50-99/200";
    ASSERT_EQ(plan.head_read(head, now, 0).what, step_kind::take);
    ASSERT_TRUE(plan.bytes_taken(50));
    EXPECT_EQ(plan.body_ended(true, 0).what, step_kind::ask);
    EXPECT_EQ(plan.request().from, 100u);
}

TEST(cyberun_download, a_link_that_breaks_now_and_then_costs_nothing) {
    constexpr std::uint64_t mib = 1 << 20;
    constexpr std::uint64_t size = 1024 * mib;
    download_plan plan({}, size);
    std::uint64_t file = 0;
    std::uint64_t transferred = 0;
    std::uint64_t requests = 0;
    for (step_kind last = step_kind::ask; last != step_kind::done; ++requests) {
        ASSERT_LT(requests, 200u);
        const download_request request = plan.request();
        const std::string range =
            "bytes " + std::to_string(request.from) + "-" + std::to_string(size - 1) + "/" + std::to_string(size);
        download_response head = whole_of(size);
        if (request.from > 0) {
            head.status = 206;
            head.content_range = range;
            head.content_length = size - request.from;
        }
        const download_step step = plan.head_read(head, now, 0);
        ASSERT_EQ(step.what, step_kind::take);
        ASSERT_EQ(step.from, file) << "nothing is cut off";
        const std::uint64_t part = std::min(10 * mib, size - step.from);
        ASSERT_TRUE(plan.bytes_taken(part));
        file = step.from + part;
        transferred += part;
        last = plan.body_ended(file == size, 0).what;
        ASSERT_TRUE(last == step_kind::ask || last == step_kind::done);
    }
    EXPECT_EQ(file, size);
    EXPECT_EQ(transferred, size);
    EXPECT_EQ(requests, 103u);
}

TEST(cyberun_download, only_a_byte_further_than_ever_is_progress) {
    // Without an ETag each try starts over and gets less far than the first.
    download_plan plan({}, cap);
    ASSERT_EQ(plan.head_read(whole_of(200, ""), now, 0).what, step_kind::take);
    ASSERT_TRUE(plan.bytes_taken(100));
    EXPECT_EQ(plan.body_ended(false, 0).what, step_kind::ask);
    std::uint32_t tries = 0;
    for (auto wanted : {5s, 10s, 20s, 40s, 60s, 60s, 60s, 60s, 60s}) {
        ASSERT_EQ(plan.request().from, 0u);
        ASSERT_EQ(plan.head_read(whole_of(200, ""), now, 0).what, step_kind::take);
        ASSERT_TRUE(plan.bytes_taken(++tries));
        const download_step step = plan.body_ended(false, 0);
        ASSERT_EQ(step.what, step_kind::back_off) << tries;
        EXPECT_EQ(step.delay, wanted);
    }
    ASSERT_EQ(plan.head_read(whole_of(200, ""), now, 0).what, step_kind::take);
    ASSERT_TRUE(plan.bytes_taken(100));
    const download_step last = plan.body_ended(false, 0);
    EXPECT_EQ(last.what, step_kind::fail);
    EXPECT_EQ(last.failure->kind, errc::network);
}

TEST(cyberun_download, parts_that_never_fit_do_not_go_on_for_ever) {
    download_plan plan(kept(50), cap);
    download_response wrong;
    wrong.status = 206;
    wrong.content_range = "bytes 0-1/2";
    for (int i = 0; i < 9; ++i) {
        ASSERT_EQ(plan.head_read(wrong, now, 0).what, step_kind::ask);
    }
    EXPECT_EQ(plan.head_read(wrong, now, 0).failure->kind, errc::protocol);
}

TEST(cyberun_download, two_refreshes_without_a_byte_fail) {
    download_plan plan(kept(50), cap);
    download_response refused;
    refused.status = 403;
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(plan.head_read(refused, now, 0).what, step_kind::refresh);
        ASSERT_EQ(plan.head_read(refused, now, 0).what, step_kind::refresh);
        if (round < 2) {
            download_response head;
            head.status = 206;
            const std::string range = "bytes " + std::to_string(50 + round) + "-199/200";
            head.content_range = range;
            ASSERT_EQ(plan.head_read(head, now, 0).what, step_kind::take);
            ASSERT_TRUE(plan.bytes_taken(1));
            ASSERT_EQ(plan.body_ended(false, 0).what, step_kind::ask);
        }
    }
    const download_step step = plan.head_read(refused, now, 0);
    EXPECT_EQ(step.what, step_kind::fail);
    EXPECT_EQ(step.failure->http_status, 403);
}

TEST(cyberun_download, pauses) {
    download_plan plan({}, cap);
    download_response busy;
    busy.status = 503;
    busy.retry_after = "7";
    EXPECT_EQ(plan.head_read(busy, now, 0).delay, 7s);
    busy.retry_after = "0";
    EXPECT_EQ(plan.head_read(busy, now, 0).delay, 1s);
    busy.retry_after = "soon";
    EXPECT_EQ(plan.head_read(busy, now, 0).delay, 20s);
    EXPECT_EQ(plan.not_reached(error(errc::network, "reset"), 0).delay, 40s);
    error certificate(errc::network, "certificate");
    certificate.lasting = true;
    EXPECT_EQ(plan.not_reached(certificate, 0).what, step_kind::fail);
}

}  // namespace
}  // namespace vembed::cyberun
