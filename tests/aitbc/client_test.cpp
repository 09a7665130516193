#include <vembed/aitbc/client.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aitbc/client_world.hpp"

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;
using testing_support::begun;

std::map<std::string, std::string> fields_of(const testing_support::seen_request& request) {
    std::map<std::string, std::string> fields;
    for (const header_field& field : request.headers) {
        fields[field.name] += field.value;
    }
    return fields;
}

// So that a test that fails ends.
call_options within(std::chrono::seconds timeout) {
    call_options options;
    options.timeout = timeout;
    return options;
}

std::string a_page(const std::string& jobs, bool more = false) {
    return R"({"jobs":[)" + jobs + R"(],"total":1,"has_more":)" + (more ? "true}" : "false}");
}

std::string listed(const std::string& id, const std::string& status, const std::string& created = "") {
    return R"({"job_id":")" + id + R"(","status":")" + status + R"(","model":"m")" +
           (created.empty() ? "" : R"(,"created_at":")" + created + '"') + "}";
}

std::string status_of(const std::string& id, const std::string& status, const std::string& result = "null") {
    return R"({"job_id":")" + id + R"(","status":")" + status + R"(","result":)" + result + "}";
}

TEST(aitbc_client, submits_in_the_dialect_with_the_key_where_it_belongs) {
    scripted_world w;
    w.options.tenant = "t1";
    w.server->expect_post("/v1/jobs").respond(200, R"({"job_id":"j1","estimated_cost":"0.5"})");
    const result<submitted_job> sent = w.world.run(w.subject().submit(text_request("hello")));
    ASSERT_TRUE(sent) << sent.error();
    EXPECT_EQ(sent->job.id, "j1");
    EXPECT_EQ(sent->estimated_cost, 0.5);
    const auto fields = fields_of(w.server->seen.at(0));
    EXPECT_EQ(fields.at("X-Tenant-ID"), "t1");
    EXPECT_EQ(fields.at("X-Request-ID").size(), 16u);
    EXPECT_TRUE(w.server->seen.at(0).authorized);
    EXPECT_EQ(w.subject().base_url(), "https://api.example/v1");
}

TEST(aitbc_client, a_refused_body_names_the_other_dialect_and_is_not_sent_again) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").respond(422, R"({"detail":[{"loc":["body","payload"],"msg":"field required"}]})");
    const result<submitted_job> sent = w.world.run(w.subject().submit(text_request("hello")));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, errc::invalid_request);
    EXPECT_NE(sent.error().message.find("coordinator"), std::string::npos) << sent.error().message;
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, a_limited_submission_waits_and_is_sent_again) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").respond(429, R"({"detail":"slow down"})", {header_field("Retry-After", "60")});
    w.server->expect_post("/v1/jobs").respond(200, R"({"job_id":"j1"})");
    ASSERT_TRUE(w.world.run(w.subject().submit(text_request("hello"))));
    EXPECT_GE(w.world.elapsed(), 60s);
}

// The simulated wall clock begins at 2026-01-01T00:00:00Z.
TEST(aitbc_client, a_lost_submission_is_found_when_the_list_is_sure_to_show_it) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").after(2s).fail(errc::network);
    w.server->expect_get("/v1/jobs?limit=100")
        .respond(200, a_page(listed("mine", "queued", "2026-01-01T00:00:01") + "," +
                             listed("older", "completed", "2025-12-31T20:00:00Z")));
    const result<submitted_job> sent = w.world.run(w.subject().submit(text_request("hello")));
    ASSERT_TRUE(sent) << sent.error();
    EXPECT_EQ(sent->job.id, "mine");
    EXPECT_GE(w.world.elapsed(), 62s) << "a list may be a minute old";
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, a_lost_submission_stays_in_doubt_if_two_jobs_fit) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").fail(errc::network);
    w.server->expect_get("/v1/jobs?limit=100")
        .respond(200, a_page(listed("a", "queued", "2026-01-01T00:00:01Z") + "," +
                             listed("b", "queued", "2026-01-01T00:00:02Z")));
    const result<submitted_job> sent = w.world.run(w.subject().submit(text_request("hello")));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, errc::outcome_unknown);
    EXPECT_NE(sent.error().message.find("a, b"), std::string::npos) << sent.error().message;
    EXPECT_TRUE(w.server->finished()) << "nothing is submitted again";
}

TEST(aitbc_client, jobs_that_a_list_shows_without_a_time_are_asked_for) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").fail(errc::network);
    w.server->expect_get("/v1/jobs?limit=100")
        .respond(200, a_page(listed("a", "queued") + "," + listed("b", "queued")));
    w.server->expect_get("/v1/jobs/a").respond(200, listed("a", "queued", "2025-12-31T20:00:00Z"));
    w.server->expect_get("/v1/jobs/b").respond(200, listed("b", "queued", "2026-01-01T00:00:00Z"));
    const result<submitted_job> sent = w.world.run(w.subject().submit(text_request("hello")));
    ASSERT_TRUE(sent) << sent.error();
    EXPECT_EQ(sent->job.id, "b");
}

// Another submission of this client is on its way when the list is read: its job is not mistaken for the lost one.
TEST(aitbc_client, a_lost_submission_is_not_taken_for_one_whose_response_is_on_its_way) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").fail(errc::network);
    w.server->expect_post("/v1/jobs").after(55s).respond(200, R"({"job_id":"other"})");
    w.server->expect_get("/v1/jobs?limit=100").respond(200, a_page(listed("other", "queued", "2026-01-01T00:00:12Z")));
    auto lost = w.world.begin<result<submitted_job>>(w.subject().submit(text_request("hello")));
    w.world.run_until(10s);
    auto other = w.world.begin<result<submitted_job>>(w.subject().submit(text_request("hello")));
    w.world.run();
    ASSERT_TRUE(other.value());
    ASSERT_FALSE(lost.value());
    EXPECT_EQ(lost.value().error().kind, errc::outcome_unknown);
    EXPECT_NE(lost.value().error().message.find("no job in the list fits"), std::string::npos);
}

TEST(aitbc_client, a_deadline_before_the_list_can_be_read_leaves_it_in_doubt_at_once) {
    scripted_world w;
    w.server->expect_post("/v1/jobs").fail(errc::network);
    call_options soon;
    soon.timeout = 30s;
    const result<submitted_job> sent = w.world.run(w.subject().submit(text_request("hello"), soon));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, errc::outcome_unknown);
    EXPECT_LT(w.world.elapsed(), 1s);
}

TEST(aitbc_client, one_job_is_asked_for_by_itself_and_its_progress_is_told_once_a_state) {
    scripted_world w;
    for (const char* state : {"queued", "queued", "RUNNING"}) {
        w.server->expect_get("/v1/jobs/j1").respond(200, status_of("j1", state));
    }
    w.server->expect_get("/v1/jobs/j1").respond(200, status_of("j1", "completed", "[1]"));
    std::vector<std::string> told;
    const result<job> ended = w.world.run(w.subject().wait_job(
        "j1", [&](const job& seen) { told.push_back(seen.state_text); }, within(500s)));
    ASSERT_TRUE(ended) << ended.error();
    EXPECT_EQ(told, (std::vector<std::string>{"queued", "RUNNING", "completed"}));
    EXPECT_GE(w.world.elapsed(), 40s) << "10 s, then slower while nothing changes";
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, many_jobs_are_asked_for_by_their_list) {
    scripted_world w;
    w.server->expect_get("/v1/jobs?limit=100")
        .respond(200, a_page(listed("a", "running") + "," + listed("b", "failed") + "," + listed("c", "expired")));
    w.server->expect_get("/v1/jobs/a").respond(200, status_of("a", "completed"));
    auto a = w.world.begin<result<job>>(w.subject().wait_job("a", {}, within(500s)));
    auto b = w.world.begin<result<job>>(w.subject().wait_job("b", {}, within(500s)));
    auto c = w.world.begin<result<job>>(w.subject().wait_job("c", {}, within(500s)));
    w.world.run();
    EXPECT_TRUE(a.value());
    EXPECT_EQ(b.value().error().kind, errc::job_failed);
    EXPECT_EQ(b.value().error().job_id, "b");
    EXPECT_EQ(c.value().error().kind, errc::job_expired);
    EXPECT_TRUE(w.server->finished());
}

// A list's entry has no result, and a completed job's result may say that it failed.
TEST(aitbc_client, a_completed_job_of_a_list_is_read_before_it_counts) {
    scripted_world w;
    w.server->expect_get("/v1/jobs?limit=100")
        .respond(200, a_page(listed("a", "completed") + "," + listed("b", "completed")));
    w.server->expect_get("/v1/jobs/a")
        .respond(200, status_of("a", "completed", R"({"status":"failed","error":"oom"})"));
    w.server->expect_get("/v1/jobs/b").respond(200, status_of("b", "completed", "[1]"));
    auto a = w.world.begin<result<job>>(w.subject().wait_job("a", {}, within(500s)));
    auto b = w.world.begin<result<job>>(w.subject().wait_job("b", {}, within(500s)));
    w.world.run();
    EXPECT_EQ(a.value().error().kind, errc::job_failed);
    EXPECT_TRUE(b.value());
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, if_the_wait_that_asks_is_cancelled_another_one_goes_on) {
    scripted_world w;
    w.server->expect_get("/v1/jobs?limit=100").after(2s).respond(200, a_page(""));
    w.server->expect_get("/v1/jobs/b").respond(200, status_of("b", "completed"));
    auto a = w.world.begin<result<job>>(w.subject().wait_job("a", {}, within(500s)));
    auto b = w.world.begin<result<job>>(w.subject().wait_job("b", {}, within(500s)));
    w.world.run_until(11s);
    a.cancel();
    w.world.run();
    EXPECT_EQ(a.value().error().kind, errc::cancelled);
    EXPECT_EQ(a.value().error().job_id, "a");
    EXPECT_TRUE(b.value()) << b.value().error();
}

TEST(aitbc_client, a_wait_ends_at_its_deadline_and_says_that_the_job_goes_on) {
    scripted_world w;
    w.server->expect_get("/v1/jobs/j1").respond(200, status_of("j1", "queued"));
    call_options until;
    until.timeout = 15s;
    const result<job> ended = w.world.run(w.subject().wait_job("j1", {}, until));
    EXPECT_EQ(ended.error().kind, errc::timeout);
    EXPECT_EQ(w.world.elapsed(), 15s);
}

TEST(aitbc_client, a_job_that_is_not_visible_yet_is_waited_for_and_an_unknown_one_is_not) {
    scripted_world w;
    std::uint64_t asked = 0;
    for (; asked < 3; ++asked) {
        w.server->expect_get("/v1/jobs/j1").respond(404, R"({"detail":"job not found"})");
    }
    w.server->expect_get("/v1/jobs/j1").respond(200, status_of("j1", "completed"));
    ASSERT_TRUE(w.world.run(w.subject().wait_job("j1", {}, within(500s))));
    for (int i = 0; i < 6; ++i) {
        w.server->expect_get("/v1/jobs/gone").respond(404, R"({"detail":"job not found"})");
    }
    const result<job> gone = w.world.run(w.subject().wait_job("gone", {}, within(200s)));
    EXPECT_EQ(gone.error().kind, errc::not_found);
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, a_refused_key_ends_every_wait) {
    scripted_world w;
    w.server->expect_get("/v1/jobs?limit=100").respond(401, R"({"detail":"invalid api key the-api-key"})");
    auto a = w.world.begin<result<job>>(w.subject().wait_job("a", {}, within(500s)));
    auto b = w.world.begin<result<job>>(w.subject().wait_job("b", {}, within(500s)));
    w.world.run();
    for (auto* one : {&a, &b}) {
        EXPECT_EQ(one->value().error().kind, errc::unauthorized);
        EXPECT_EQ(one->value().error().describe().find("the-api-key"), std::string::npos);
    }
}

TEST(aitbc_client, an_exception_of_the_progress_callback_ends_its_wait_only) {
    scripted_world w;
    for (int i = 0; i < 2; ++i) {
        w.server->expect_get("/v1/jobs?limit=100")
            .respond(200, a_page(listed("a", "running") + "," + listed("b", "running")));
    }
    w.server->expect_get("/v1/jobs/b").respond(200, status_of("b", "completed"));
    auto a = w.world.begin<result<job>>(w.subject().wait_job(
        "a", [](const job&) { throw std::runtime_error("no"); }, within(500s)));
    auto b = w.world.begin<result<job>>(w.subject().wait_job("b", {}, within(500s)));
    w.world.run_until(14s);
    ASSERT_TRUE(a.ended());
    EXPECT_EQ(a.value().error().kind, errc::callback_failed);
    EXPECT_FALSE(b.ended());
    b.cancel();
    w.world.run();
}

TEST(aitbc_client, cancels_in_the_form_that_the_service_has_and_remembers_it) {
    scripted_world w;
    w.server->expect(http_method::delete_, "/v1/jobs/j1").respond(405, R"({"detail":"Method Not Allowed"})");
    w.server->expect_post("/v1/jobs/j1/cancel").respond(200, R"({"job_id":"j1","state":"CANCELED"})");
    w.server->expect_get("/v1/jobs/j1").respond(200, R"({"job_id":"j1","state":"CANCELED"})");
    const result<job> first = w.world.run(w.subject().cancel_job("j1"));
    ASSERT_TRUE(first) << first.error();
    EXPECT_EQ(first->state, job_state::cancelled);
    w.server->expect_post("/v1/jobs/j2/cancel").respond(409, R"({"detail":"not cancelable"})");
    w.server->expect_get("/v1/jobs/j2").respond(200, status_of("j2", "completed"));
    const result<job> second = w.world.run(w.subject().cancel_job("j2"));
    ASSERT_TRUE(second) << second.error();
    EXPECT_EQ(second->state, job_state::completed);
    w.server->expect_post("/v1/jobs/j3/cancel").respond(404, R"({"detail":"job not found"})");
    EXPECT_EQ(w.world.run(w.subject().cancel_job("j3")).error().kind, errc::not_found);
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, the_product_is_the_first_that_the_service_has) {
    scripted_world w;
    w.server->expect_get("/v1/jobs/a").respond(200, status_of("a", "completed", "[1,2]"));
    EXPECT_EQ(w.world.run(w.subject().get_product("a"))->value, boost::json::value({1, 2}));

    w.server->expect_get("/v1/jobs/b").respond(200, status_of("b", "completed"));
    w.server->expect_get("/v1/jobs/b/download")
        .respond(200, "PK\x03\x04", {header_field("Content-Type", "application/zip")});
    const result<job_product> file = w.world.run(w.subject().get_product("b"));
    ASSERT_TRUE(file) << file.error();
    EXPECT_EQ(file->bytes, "PK\x03\x04");
    EXPECT_EQ(file->content_type, "application/zip");

    w.server->expect_get("/v1/jobs/c").respond(200, status_of("c", "completed"));
    w.server->expect_get("/v1/jobs/c/download").respond(404, R"({"detail":"Not Found"})");
    w.server->expect_get("/v1/jobs/c/result").respond(200, R"({"result":{"n":1},"receipt":null})");
    EXPECT_TRUE(w.world.run(w.subject().get_product("c"))->value);

    w.server->expect_get("/v1/jobs/d").respond(200, status_of("d", "completed"));
    w.server->expect_get("/v1/jobs/d/result").respond(425, R"({"detail":"not ready"})");
    const result<job_product> none = w.world.run(w.subject().get_product("d"));
    ASSERT_TRUE(none) << none.error();
    EXPECT_FALSE(none->value || none->bytes);

    w.server->expect_get("/v1/jobs/e")
        .respond(200, R"({"job_id":"e","status":"completed","output_config":{"destination":"s3://b/p"}})");
    EXPECT_EQ(w.world.run(w.subject().get_product("e"))->place, "s3://b/p");

    w.server->expect_get("/v1/jobs/f").respond(200, status_of("f", "running"));
    EXPECT_EQ(w.world.run(w.subject().get_product("f")).error().kind, errc::invalid_argument);
    w.server->expect_get("/v1/jobs/g")
        .respond(200, status_of("g", "completed", R"({"status":"failed","error":"oom"})"));
    EXPECT_EQ(w.world.run(w.subject().get_product("g")).error().kind, errc::job_failed);
    EXPECT_TRUE(w.server->finished());
}

TEST(aitbc_client, a_history_that_the_service_shadows_is_the_list_filtered) {
    scripted_world w;
    const wall_time day(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
    w.server->expect_get("/v1/jobs/history?from=2026-01-01").respond(404, R"({"detail":"job not found"})");
    for (int i = 0; i < 2; ++i) {
        w.server->expect_get("/v1/jobs?limit=100")
            .respond(200, a_page(listed("new", "completed", "2026-01-01T10:00:00Z") + "," +
                                     listed("old", "completed", "2025-12-30T10:00:00Z"),
                                 true));
    }
    for (int i = 0; i < 2; ++i) {
        const result<std::vector<job>> seen = w.world.run(w.subject().get_history(day, std::nullopt));
        ASSERT_TRUE(seen) << seen.error();
        ASSERT_EQ(seen->size(), 1u);
        EXPECT_EQ(seen->front().id, "new");
    }
    EXPECT_TRUE(w.server->finished()) << "the absent route is asked once, and the list only as far back as needed";
}

TEST(aitbc_client, ids_that_are_no_path_segment_send_nothing) {
    scripted_world w;
    for (const char* id : {"", "..", "history"}) {
        EXPECT_EQ(w.world.run(w.subject().get_job(id)).error().kind, errc::invalid_argument) << id;
        EXPECT_EQ(w.world.run(w.subject().wait_job(id)).error().kind, errc::invalid_argument) << id;
        EXPECT_EQ(w.world.run(w.subject().cancel_job(id)).error().kind, errc::invalid_argument) << id;
    }
    EXPECT_TRUE(w.server->seen.empty());
}

TEST(aitbc_client, options_are_refused_with_their_reason) {
    boost::asio::io_context context;
    client_options options;
    options.api_key = secret::from_key("k", "").value();
    options.base_url = "http://api.example";
    EXPECT_EQ(client::make(context.get_executor(), options).error().kind, errc::invalid_argument);
    options.base_url = "https://api.example";
    options.tenant = "a\r\nb";
    EXPECT_EQ(client::make(context.get_executor(), options).error().kind, errc::invalid_argument);
}

// A whole life over the local service, in both dialects.
TEST(aitbc_client, a_job_from_submission_to_product_in_both_dialects) {
    for (const dialect asked_in : {dialect::docs, dialect::coordinator}) {
        testing::aitbc_options served;
        served.dialect = asked_in == dialect::docs ? testing::aitbc_dialect::docs : testing::aitbc_dialect::coordinator;
        served.job_time_ms = 45'000;
        client_options options;
        options.asked_in = asked_in;
        served_world w(served, options);
        const result<submitted_job> sent = w.world.run(w.subject->submit(text_request("hello")));
        ASSERT_TRUE(sent) << sent.error();
        const result<job> ended = w.world.run(w.subject->wait_job(sent->job.id, {}, within(500s)));
        ASSERT_TRUE(ended) << ended.error();
        const result<job_product> product = w.world.run(w.subject->get_product(sent->job.id));
        ASSERT_TRUE(product) << product.error();
        EXPECT_TRUE(product->value) << to_string(asked_in);
        const result<std::vector<job>> jobs = w.world.run(w.subject->get_jobs(job_filter("completed")));
        ASSERT_TRUE(jobs) << jobs.error();
        EXPECT_EQ(jobs->size(), 1u);
        const result<submitted_job> second = w.world.run(w.subject->submit(text_request("again")));
        ASSERT_TRUE(second);
        EXPECT_EQ(w.world.run(w.subject->cancel_job(second->job.id))->state, job_state::cancelled);
    }
}

}  // namespace
}  // namespace vembed::aitbc
