#include "aitbc/wire/routes.hpp"

#include <gtest/gtest.h>

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;
using route_kind = route_step::kind;

TEST(aitbc_routes, one_form_of_a_base_url) {
    for (const auto& [given, wanted] : {
             std::pair("https://host/api", "https://host/api/v1"),
             std::pair("https://host/api/", "https://host/api/v1"),
             std::pair("https://host/api/v1", "https://host/api/v1"),
             std::pair("https://host/api/v1//", "https://host/api/v1"),
             std::pair("https://host/api/v1/jobs", "https://host/api/v1"),
             std::pair("https://host/api/v1/jobs/", "https://host/api/v1"),
             std::pair("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
             std::pair("https://jobs", "https://jobs/v1"),
         }) {
        EXPECT_EQ(normal_base_url(given).value(), wanted) << given;
    }
    for (const std::string given : {"", "host/api", "ftp://host", "https://", "https:///api", "https://h/a b",
                                    "https://user:pw@h/", "https://h/?q", "https://h/#f", "https://h/\x80"}) {
        EXPECT_FALSE(normal_base_url(given)) << given;
    }
    EXPECT_FALSE(normal_base_url("https://h/" + std::string(2048, 'a')));
}

struct route_row {
    form used;
    std::optional<refusal> refused;
    job_state last_known;
    bool tried_before;
    route_kind what;
    std::optional<form> next;
};

TEST(aitbc_routes, what_follows_from_each_response) {
    constexpr job_state running = job_state::running;
    for (const route_row& r : {
             route_row{form::cancel_by_delete, {}, running, false, route_kind::ask_job, {}},
             route_row{form::cancel_by_delete, refusal::method_absent, running, false, route_kind::try_next,
                       form::cancel_by_post},
             route_row{form::cancel_by_delete, refusal::method_absent, running, true, route_kind::failed, {}},
             route_row{form::cancel_by_delete, refusal::job_unknown, running, false, route_kind::failed, {}},
             route_row{form::cancel_by_post, refusal::conflict, running, false, route_kind::ask_job, {}},
             route_row{form::cancel_by_post, refusal::route_absent, running, false, route_kind::try_next,
                       form::cancel_by_delete},
             route_row{form::output_by_download, refusal::route_absent, running, false, route_kind::try_next,
                       form::output_by_result},
             route_row{form::output_by_download, refusal::job_unknown, running, false, route_kind::failed, {}},
             route_row{form::output_by_result, refusal::not_ready, running, false, route_kind::wait, {}},
             route_row{form::output_by_result, refusal::not_ready, job_state::unknown, false, route_kind::wait, {}},
             route_row{
                 form::output_by_result, refusal::not_ready, job_state::completed, false, route_kind::no_output, {}},
             route_row{
                 form::output_by_result, refusal::not_ready, job_state::expired, false, route_kind::no_output, {}},
             route_row{form::output_by_result, {}, running, false, route_kind::done, {}},
             route_row{form::history_by_route, refusal::job_unknown, running, false, route_kind::try_next,
                       form::history_by_list},
             route_row{form::history_by_route, refusal::route_absent, running, false, route_kind::try_next,
                       form::history_by_list},
             route_row{form::history_by_list, refusal::route_absent, running, false, route_kind::failed, {}},
             route_row{form::history_by_route, refusal::caller, running, false, route_kind::failed, {}},
             route_row{form::output_by_download, refusal::service, running, false, route_kind::failed, {}},
         }) {
        route_plan plan;
        const route_step step = plan.after(r.used, r.refused, r.last_known, r.tried_before);
        EXPECT_EQ(step.what, r.what) << static_cast<int>(r.used);
        EXPECT_EQ(step.next, r.next) << static_cast<int>(r.used);
    }
}

TEST(aitbc_routes, what_is_absent_is_remembered) {
    route_plan plan;
    EXPECT_EQ(plan.first(task::cancel), form::cancel_by_delete);
    EXPECT_EQ(plan.first(task::output), form::output_by_download);
    EXPECT_EQ(plan.first(task::history), form::history_by_route);
    plan.after(form::cancel_by_delete, refusal::method_absent, job_state::running, false);
    plan.after(form::history_by_route, refusal::job_unknown, job_state::unknown, false);
    plan.after(form::output_by_download, refusal::job_unknown, job_state::running, false);
    EXPECT_EQ(plan.first(task::cancel), form::cancel_by_post);
    EXPECT_EQ(plan.first(task::history), form::history_by_list);
    EXPECT_EQ(plan.first(task::output), form::output_by_download) << "a job that is unknown says nothing of the route";
    route_plan again;
    again.recall(plan.remembered());
    EXPECT_EQ(again.first(task::cancel), form::cancel_by_post);
    again.after(form::cancel_by_post, refusal::route_absent, job_state::running, true);
    EXPECT_EQ(again.first(task::cancel), form::cancel_by_delete) << "if both are absent, the dialect's own is tried";
    route_plan coordinator(dialect::coordinator);
    EXPECT_EQ(coordinator.first(task::cancel), form::cancel_by_post);
    EXPECT_EQ(coordinator.first(task::output), form::output_by_result);
    EXPECT_EQ(coordinator.first(task::history), form::history_by_list);
}

TEST(aitbc_routes, targets) {
    EXPECT_EQ(job_target("a/b", "/cancel").value(), "/jobs/a%2Fb/cancel");
    for (const char* id : {"", "..", "history", "HISTORY"}) {
        EXPECT_FALSE(job_target(id)) << id;
    }
    EXPECT_EQ(form_target(form::output_by_result, "j").value(), "/jobs/j/result");
    EXPECT_EQ(form_target(form::cancel_by_delete, "j").value(), "/jobs/j");
    EXPECT_EQ(list_target({}), "/jobs?limit=100");
    list_query query;
    query.status = "running";
    query.limit = 20;
    query.offset = 40;
    EXPECT_EQ(list_target(query), "/jobs?limit=20&offset=40&status=running");
    query.status = "a&b=c";
    EXPECT_EQ(list_target(query), "/jobs?limit=20&offset=40");
    const wall_time day = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 5h;
    EXPECT_EQ(history_target(day, {}), "/jobs/history?from=2026-01-31");
    EXPECT_EQ(history_target(day, day + 24h), "/jobs/history?from=2026-01-31&to=2026-02-01");
    EXPECT_EQ(history_target({}, day), "/jobs/history?to=2026-01-31");
}

TEST(aitbc_routes, what_a_list_shows_is_filtered_here) {
    job one;
    const wall_time day = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31);
    EXPECT_TRUE(is_within(one, day, day));
    one.created_at = day;
    EXPECT_TRUE(is_within(one, day, day));
    EXPECT_FALSE(is_within(one, day + 1ms, {}));
    EXPECT_FALSE(is_within(one, {}, day - 1ms));
    one.state_text = "CANCELED";
    one.state = job_state::cancelled;
    EXPECT_TRUE(has_status(one, ""));
    EXPECT_TRUE(has_status(one, "cancelled"));
    EXPECT_FALSE(has_status(one, "running"));
}

}  // namespace
}  // namespace vembed::aitbc
