// The calls of Cyberun's client, over a script and over the local service.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cyberun/client_world.hpp"

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;

TEST(cyberun_client, workflows_are_listed_page_by_page) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/workflows?current_page=1&per_page=100")
        .respond(200, R"({"workflow_list":[{"id":"a"},{"id":"b"}],
                          "page_meta":{"current_page":1,"per_page":2,"total_count":3}})");
    w.server->expect_get("/api/v1/r/workflows?current_page=2&per_page=100")
        .respond(200, R"({"workflow_list":[{"id":"c"}],"page_meta":{"current_page":2,"per_page":2,"total_count":3}})");
    const result<std::vector<workflow>> all = w.world.run(w.subject().get_workflows());
    ASSERT_TRUE(all) << all.error();
    EXPECT_EQ(all->size(), 3u);
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_client, a_workflow_is_asked_for_by_slug_version_and_id) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/workflows/slug/render@2").respond(200, R"({"id":"a","version":2})");
    w.server->expect_get("/api/v1/r/workflows/a").respond(200, R"({"id":"a","version":3})");
    w.server->expect_get("/api/v1/r/workflows/slug/none").respond(404, R"({"error":"unknown"})");
    EXPECT_EQ(w.world.run(w.subject().get_workflow("render@2"))->version, 2u);
    EXPECT_EQ(w.world.run(w.subject().get_workflow_by_id("a"))->version, 3u);
    EXPECT_EQ(w.world.run(w.subject().get_workflow("none")).error().kind, errc::not_found);
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_client, the_key_and_the_team_go_with_each_call) {
    scripted_world w;
    w.options.team_id = "team-1";
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "running"));
    ASSERT_TRUE(w.world.run(w.subject().get_task("t")));
    const auto& seen = w.server->seen.front();
    EXPECT_TRUE(seen.authorized);
    EXPECT_TRUE(std::ranges::any_of(
        seen.headers, [](const header_field& each) { return each.name == "X-Team-ID" && each.value == "team-1"; }));
}

TEST(cyberun_client, a_run_is_sent_once) {
    class row {
    public:
        int status = 0;  // 0: the connection breaks after the request was sent.
        std::string body;
        errc expected{};
    };
    const std::vector<row> rows{
        {0, "", errc::outcome_unknown},
        {500, R"({"error":"x"})", errc::outcome_unknown},
        {502, "<html>", errc::outcome_unknown},
        {202, "not json", errc::outcome_unknown},
        {202, R"({"task_id":".."})", errc::outcome_unknown},
        {400, R"({"error":"parameter text is required"})", errc::invalid_request},
        {401, R"({"error":"x"})", errc::unauthorized},
        {403, R"({"error":"not licensed"})", errc::api},
        {404, R"({"error":"x"})", errc::not_found},
        {409, R"({"error":"disabled"})", errc::api},
    };
    for (const row& each : rows) {
        scripted_world w;
        auto& planned = w.server->expect_post("/api/v1/r/workflows/slug/render/run")
                            .with_body(R"({"parameters":{"text":"hello"}})");
        each.status == 0 ? planned.fail(errc::network) : planned.respond(each.status, each.body);
        const result<accepted_task> made = w.world.run(w.subject().run("render", text_parameters(), within(5s)));
        ASSERT_FALSE(made) << each.status;
        EXPECT_EQ(made.error().kind, each.expected) << each.status << ' ' << made.error();
        EXPECT_EQ(w.server->seen.size(), 1u) << each.status;
    }
}

std::string made_at(const std::string& id, const std::string& workflow, const std::string& created_at) {
    return R"({"id":")" + id + R"(","task_status":"queued","workflow_id":")" + workflow + R"(","created_at":")" +
           created_at + R"("})";
}

// The virtual wall clock begins at 2026-01-01T00:00:00Z.
TEST(cyberun_client, a_run_whose_response_was_lost_is_found_if_exactly_one_task_fits) {
    class row {
    public:
        std::string tasks;
        std::string found;  // Empty: it stays in doubt.
    };
    const std::string ours = made_at("t1", "w1", "2026-01-01T00:00:00Z");
    const std::vector<row> rows{
        {ours, "t1"},
        {ours + "," + made_at("t2", "w2", "2026-01-01T00:00:00Z") + "," + made_at("t3", "w1", "2025-12-31T00:00:00Z"),
         "t1"},
        {ours + "," + made_at("t2", "w1", "2026-01-01T00:00:01Z"), ""},
        {ours + R"(,{"id":"t4","task_status":"queued"})", ""},
        {"", ""},
    };
    for (const row& each : rows) {
        scripted_world w;
        w.server->expect_post("/api/v1/r/workflows/slug/render/run").fail(errc::network);
        w.server->expect_get("/api/v1/r/workflows/slug/render").respond(200, R"({"id":"w1"})");
        w.server->expect_get("/api/v1/r/tasks?current_page=1&per_page=100")
            .respond(200, R"({"task_list":[)" + each.tasks + R"(],"page_meta":{"current_page":1,"per_page":100}})");
        const result<accepted_task> made = w.world.run(w.subject().run("render", text_parameters()));
        EXPECT_TRUE(w.server->finished());
        ASSERT_EQ(made.has_value(), !each.found.empty()) << each.tasks;
        EXPECT_TRUE(made ? made->task_id == each.found : made.error().kind == errc::outcome_unknown) << each.tasks;
        EXPECT_TRUE(made || each.tasks.empty() || made.error().message.find("t1") != std::string::npos);
    }
}

TEST(cyberun_client, a_lost_run_is_not_taken_for_another_one_of_this_client) {
    scripted_world w;
    const auto page = [](const std::string& tasks) {
        return R"({"task_list":[)" + tasks + R"(],"page_meta":{"current_page":1,"per_page":100}})";
    };
    // The other run is answered: its task is not the lost one's.
    w.server->expect_post("/api/v1/r/workflows/w1/run").fail(errc::network);
    w.server->expect_post("/api/v1/r/workflows/w1/run").respond(202, R"({"task_id":"t1"})");
    w.server->expect_get("/api/v1/r/tasks?current_page=1&per_page=100")
        .respond(200, page(made_at("t1", "w1", "2026-01-01T00:00:00Z")));
    auto lost = w.world.begin<result<accepted_task>>(w.subject().run_by_id("w1", text_parameters()));
    w.world.run_until(1s);
    ASSERT_TRUE(w.world.run(w.subject().run_by_id("w1", text_parameters())));
    w.world.run();
    ASSERT_FALSE(lost.value());
    EXPECT_NE(lost.value().error().message.find("no task"), std::string::npos) << lost.value().error();
    // Another one is in doubt, so that a task may be that one's.
    w.server->expect_post("/api/v1/r/workflows/w1/run").fail(errc::network);
    w.server->expect_get("/api/v1/r/tasks?current_page=1&per_page=100")
        .respond(200, page(made_at("t2", "w1", "2026-01-01T00:00:11Z")));
    const result<accepted_task> second = w.world.run(w.subject().run_by_id("w1", text_parameters()));
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("another run"), std::string::npos) << second.error();
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_client, a_run_that_was_refused_for_its_rate_or_not_sent_is_sent_again) {
    scripted_world w;
    w.server->expect_post("/api/v1/r/workflows/w1/run").fail(errc::network, 0);
    w.server->expect_post("/api/v1/r/workflows/w1/run")
        .respond(429, R"({"error":"slow"})", {header_field("Retry-After", "7")});
    w.server->expect_post("/api/v1/r/workflows/w1/run").respond(200, R"({"task_id":"t1"})");
    const result<accepted_task> made = w.world.run(w.subject().run_by_id("w1", text_parameters()));
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->task_id, "t1");
    EXPECT_GE(w.world.elapsed(), 7s);
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_client, a_task_of_our_own_run_may_be_unknown_for_a_moment_and_another_may_not) {
    scripted_world w;
    w.server->expect_post("/api/v1/r/workflows/w1/run").respond(202, R"({"task_id":"t1"})");
    w.server->expect_get("/api/v1/r/tasks/t1").respond(404, R"({"error":"x"})");
    w.server->expect_get("/api/v1/r/tasks/t1").respond(200, state_of("t1", "pending"));
    w.server->expect_get("/api/v1/r/tasks/t2").respond(404, R"({"error":"x"})");
    ASSERT_TRUE(w.world.run(w.subject().run_by_id("w1", text_parameters())));
    EXPECT_EQ(w.world.run(w.subject().get_task("t1"))->state, task_state::pending);
    EXPECT_EQ(w.world.run(w.subject().get_task("t2")).error().kind, errc::not_found);
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_client, tasks_are_listed_and_filtered_here_too) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/tasks?current_page=1&per_page=2&status=running")
        .respond(200, R"({"task_list":[{"id":"a","task_status":"running"},{"id":"b","task_status":"failed"}],
                          "page_meta":{"current_page":1,"per_page":2}})");
    w.server->expect_get("/api/v1/r/tasks?current_page=2&per_page=2&status=running")
        .respond(200, R"({"task_list":[{"id":"c","task_status":"RUNNING"}],
                          "page_meta":{"current_page":2,"per_page":2}})");
    const result<std::vector<task>> found = w.world.run(w.subject().get_tasks(task_filter("running", 2)));
    ASSERT_TRUE(found) << found.error();
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ(found->back().id, "c");
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_client, a_cancellation_asks_for_the_task_afterwards) {
    for (const int status : {200, 202, 204, 409}) {
        scripted_world w;
        w.server->expect_post("/api/v1/r/tasks/t/cancel").respond(status, "");
        w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "completed"));
        const result<task> seen = w.world.run(w.subject().cancel_task("t"));
        ASSERT_TRUE(seen) << seen.error();
        EXPECT_EQ(seen->state, task_state::completed);
    }
    scripted_world w;
    w.server->expect_post("/api/v1/r/tasks/t/cancel").respond(404, R"({"error":"x"})");
    EXPECT_EQ(w.world.run(w.subject().cancel_task("t")).error().kind, errc::not_found);
}

TEST(cyberun_client, an_answer_about_another_task_is_a_breach) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("u", "completed"));
    w.server->expect_get("/api/v1/r/tasks/t/result").respond(200, state_of("u", "completed"));
    EXPECT_EQ(w.world.run(w.subject().get_task("t")).error().kind, errc::protocol);
    EXPECT_EQ(w.world.run(w.subject().get_result("t")).error().kind, errc::protocol);
}

TEST(cyberun_client, names_that_are_no_path_segment_send_nothing) {
    scripted_world w;
    for (const char* id : {"", "..", "."}) {
        EXPECT_EQ(w.world.run(w.subject().get_task(id)).error().kind, errc::invalid_argument) << id;
        EXPECT_EQ(w.world.run(w.subject().wait_task(id)).error().kind, errc::invalid_argument) << id;
        EXPECT_EQ(w.world.run(w.subject().run(id, {})).error().kind, errc::invalid_argument) << id;
        EXPECT_EQ(w.world.run(w.subject().download(id, "x")).error().kind, errc::invalid_argument) << id;
    }
    EXPECT_EQ(w.world.run(w.subject().get_workflow_page(0)).error().kind, errc::invalid_argument);
    EXPECT_EQ(w.world.run(w.subject().get_workflow_page(1, 101)).error().kind, errc::invalid_argument);
    EXPECT_TRUE(w.server->seen.empty());
}

TEST(cyberun_client, options_are_refused_with_their_reason) {
    boost::asio::io_context context;
    client_options options;
    options.api_key = secret::from_key("k", "").value();
    options.base_url = "http://api.example";
    EXPECT_EQ(client::make(context.get_executor(), options).error().kind, errc::invalid_argument);
    options.base_url = "https://api.example";
    options.team_id = "a\r\nb";
    EXPECT_EQ(client::make(context.get_executor(), options).error().kind, errc::invalid_argument);
}

TEST(cyberun_client, the_key_is_in_no_error) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/tasks/t").respond(401, R"({"error":"no such key: the-api-key"})");
    const result<task> seen = w.world.run(w.subject().get_task("t"));
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().kind, errc::unauthorized);
    EXPECT_EQ(seen.error().describe().find("the-api-key"), std::string::npos);
    EXPECT_EQ(seen.error().raw_body.find("the-api-key"), std::string::npos);
}

}  // namespace
}  // namespace vembed::cyberun
