// AITBC's stand-in: routes and error forms of both dialects, both windows, lives of jobs.

#include <vembed/testing/aitbc_service.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/local_driver.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;
using testing_support::local_driver;
using testing_support::read_response;

constexpr const char* docs_body = R"({"model":"m","input":"hello"})";
constexpr const char* coordinator_body = R"({"payload":{"model":"m","prompt":"hello"},"ttl_seconds":100})";

class driver : public local_driver {
public:
    explicit driver(aitbc_options options) : local_driver(service), service(options), options_(options) {
        headers = {header_field("X-Api-Key", service.api_key())};
    }
    std::string submit() {
        return ask("POST", "/v1/jobs", options_.dialect == aitbc_dialect::docs ? docs_body : coordinator_body)
            .text("job_id");
    }
    std::string state(const std::string& id) {
        return ask("GET", "/v1/jobs/" + id).text(options_.dialect == aitbc_dialect::docs ? "status" : "state");
    }

    aitbc_service service;

private:
    aitbc_options options_;
};

aitbc_options of(aitbc_dialect dialect) {
    aitbc_options options;
    options.dialect = dialect;
    options.requests_per_minute = options.requests_per_hour = 0;
    options.job_time_ms = 8000;
    options.ttl_s = 100;
    return options;
}

struct row {
    const char* method;
    std::string target;
    const char* body;
    int status;
    const char* says;
};

void expect_rows(driver& to, const std::vector<row>& rows) {
    for (const row& each : rows) {
        const read_response response = to.ask(each.method, each.target, each.body);
        EXPECT_EQ(response.status, each.status) << each.method << ' ' << each.target << ' ' << response.body;
        EXPECT_NE(response.body.find(each.says), std::string::npos) << each.target << ' ' << response.body;
    }
}

TEST(aitbc_service, answers_each_route_of_the_docs_dialect_in_its_form) {
    driver to(of(aitbc_dialect::docs));
    const std::string job = "/v1/jobs/" + to.submit();
    expect_rows(to, {{"GET", job, "", 200, R"("status":"QUEUED","progress":0)"},
                     {"GET", "/api" + job, "", 200, "QUEUED"},
                     {"GET", job + "/download", "", 425, R"({"detail":"result not ready"})"},
                     {"GET", job + "/result", "", 404, R"({"detail":"Not Found"})"},
                     {"POST", job + "/cancel", "", 404, R"({"detail":"Not Found"})"},
                     {"GET", "/v1/jobs/none", "", 404, R"({"detail":"job not found"})"},
                     {"GET", "/v2/jobs", "", 404, R"({"detail":"Not Found"})"},
                     {"PATCH", job, "", 405, "Method Not Allowed"},
                     {"PUT", "/v1/jobs", "", 405, "Method Not Allowed"},
                     {"GET", "/v1/jobs/", "", 307, ""},
                     {"POST", "/v1/jobs", coordinator_body, 422, R"("field":"model")"},
                     {"POST", "/v1/jobs", "[", 422, "VALIDATION_ERROR"},
                     {"GET", job + "/receipt", "", 404, "receipt not found"},
                     {"GET", job + "/receipts", "", 200, R"({"items":[]})"},
                     {"DELETE", job, "", 200, "CANCELED"},
                     {"DELETE", job, "", 409, "not cancelable"},
                     {"GET", job + "/download", "", 409, "no output"}});
}

TEST(aitbc_service, answers_each_route_of_the_coordinator_dialect_in_its_form) {
    driver to(of(aitbc_dialect::coordinator));
    const std::string job = "/v1/jobs/" + to.submit();
    expect_rows(to, {{"GET", job, "", 200, R"("state":"QUEUED")"},
                     {"GET", job + "/result", "", 425, "not ready"},
                     {"GET", job + "/download", "", 404, R"({"detail":"Not Found"})"},
                     {"GET", "/v1/jobs/history?from=2026-01-01", "", 404, R"({"detail":"job not found"})"},
                     {"DELETE", job, "", 405, "Method Not Allowed"},
                     {"POST", "/v1/jobs", docs_body, 422, R"("loc":["body","payload"])"},
                     {"POST", job + "/cancel", "", 200, R"("state":"CANCELED")"},
                     {"POST", job + "/cancel", "", 409, "not cancelable"},
                     {"GET", job + "/result", "", 425, "not ready"}});
    EXPECT_EQ(to.ask("POST", "/v1/jobs", coordinator_body).status, 201);
}

TEST(aitbc_service, refuses_bodies_and_keys) {
    driver to(of(aitbc_dialect::docs));
    const read_response large = to.ask("POST", "/v1/jobs", std::string((10u << 20) + 1, 'x'));
    EXPECT_EQ(large.status, 413);
    EXPECT_NE(large.body.find(R"("status_code":413,"path":"/v1/jobs")"), std::string::npos) << large.body;
    to.headers = {header_field("X-Api-Key", "wrong")};
    EXPECT_EQ(to.ask("GET", "/v1/jobs").body, R"({"detail":"invalid api key"})");
    to.headers = {header_field("Authorization", "Bearer " + to.service.api_key())};
    EXPECT_EQ(to.ask("GET", "/v1/jobs").status, 200);
    aitbc_options strict = of(aitbc_dialect::docs);
    strict.bearer_only = true;
    driver bearer(strict);
    EXPECT_EQ(bearer.ask("GET", "/v1/jobs").status, 401);
}

TEST(aitbc_service, other_clients_jobs_do_not_exist) {
    driver to(of(aitbc_dialect::docs));
    const std::string id = to.submit();
    to.headers = {header_field("X-Api-Key", to.service.add_client())};
    EXPECT_EQ(to.ask("GET", "/v1/jobs/" + id).status, 404);
    EXPECT_EQ(to.ask("GET", "/v1/jobs").body, R"({"jobs":[],"total":0,"has_more":false})");
}

TEST(aitbc_service, both_windows_slide_over_all_calls) {
    aitbc_options options = of(aitbc_dialect::docs);
    options.requests_per_minute = 3;
    options.requests_per_hour = 5;
    driver to(options);
    const auto admitted = [&to] { return to.ask("GET", "/v1/jobs").status == 200; };
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(admitted());
    }
    const read_response refused = to.ask("GET", "/v1/jobs/none");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.header("Retry-After"), "60");
    to.advance(60s - 1ns);
    EXPECT_FALSE(admitted());
    to.advance(1ns);
    EXPECT_TRUE(admitted() && admitted());
    to.advance(60s);
    EXPECT_FALSE(admitted()) << "the hour is full";
    to.advance(3600s - 120s);
    EXPECT_TRUE(admitted());
    const aitbc_counters counted = to.service.counters();
    EXPECT_EQ(counted.refused_by_window, 3u);
    EXPECT_EQ(counted.requests, 9u);
    EXPECT_EQ(counted.requests_in_a_minute_max, 5u) << "refused ones as well";
    EXPECT_EQ(counted.requests_in_an_hour_max, 8u);
}

TEST(aitbc_service, a_job_takes_its_time_and_has_a_result_that_depends_on_its_input) {
    for (const aitbc_dialect dialect : {aitbc_dialect::docs, aitbc_dialect::coordinator}) {
        driver to(of(dialect));
        const std::string id = to.submit();
        const std::string twin = to.submit();
        to.advance(2s - 1ns);
        EXPECT_EQ(to.state(id), "QUEUED");
        to.advance(1ns);
        EXPECT_EQ(to.state(id), "RUNNING");
        to.advance(6s);
        EXPECT_EQ(to.state(id), "COMPLETED");
        const std::string output = dialect == aitbc_dialect::docs ? "/download" : "/result";
        const read_response one = to.ask("GET", "/v1/jobs/" + id + output);
        EXPECT_EQ(one.status, 200);
        EXPECT_NE(one.body.find("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), std::string::npos);
        const read_response receipt = to.ask("GET", "/v1/jobs/" + twin + "/receipt");
        EXPECT_EQ(receipt.text("client"), to.service.api_key());
        EXPECT_EQ(to.ask("GET", "/v1/jobs/" + id + "/receipts").json().at("items").as_array().size(), 1u);
    }
}

struct life {
    const char* name;
    double aitbc_faults::*fault;
    std::vector<std::pair<std::chrono::seconds, const char*>> states;
    int output;
};

TEST(aitbc_service, faults_of_jobs_end_them_otherwise) {
    const std::vector<life> lives = {
        {"failed", &aitbc_faults::failed, {{0s, "QUEUED"}, {5s, "RUNNING"}, {8s, "FAILED"}}, 409},
        {"failed_result", &aitbc_faults::failed_result, {{5s, "RUNNING"}, {8s, "COMPLETED"}}, 200},
        {"no_result", &aitbc_faults::no_result, {{8s, "COMPLETED"}}, 409},
        {"never_runs", &aitbc_faults::never_runs, {{99s, "QUEUED"}, {100s, "EXPIRED"}, {999s, "EXPIRED"}}, 409},
        {"late_result", &aitbc_faults::late_result, {{99s, "RUNNING"}, {100s, "EXPIRED"}, {105s, "COMPLETED"}}, 200},
    };
    for (const life& each : lives) {
        aitbc_options options = of(aitbc_dialect::docs);
        options.faults.*each.fault = 1;
        driver to(options);
        const std::string id = to.submit();
        const monotonic_time begun = to.now;
        for (const auto& [at, expected] : each.states) {
            to.advance(begun + at - to.now);
            EXPECT_EQ(to.state(id), expected) << each.name << ' ' << at.count();
        }
        EXPECT_EQ(to.ask("GET", "/v1/jobs/" + id + "/download").status, each.output) << each.name;
    }
}

TEST(aitbc_service, a_late_result_comes_after_a_cancellation_as_well) {
    aitbc_options options = of(aitbc_dialect::docs);
    options.faults.late_result = 1;
    driver to(options);
    const std::string id = to.submit();
    EXPECT_EQ(to.ask("DELETE", "/v1/jobs/" + id).status, 200);
    EXPECT_EQ(to.state(id), "CANCELED");
    to.advance(13s);
    EXPECT_EQ(to.state(id), "COMPLETED");
}

TEST(aitbc_service, a_stale_status_is_as_old_as_its_last_look) {
    aitbc_options options = of(aitbc_dialect::docs);
    options.stale_ms = 60'000;
    driver to(options);
    const std::string id = to.submit();
    EXPECT_EQ(to.state(id), "QUEUED");
    to.advance(59s);
    EXPECT_EQ(to.state(id), "QUEUED");
    EXPECT_EQ(to.ask("GET", "/v1/jobs/" + id + "/download").status, 200) << "the output is not stale";
    to.advance(1s);
    EXPECT_EQ(to.state(id), "COMPLETED");
}

TEST(aitbc_service, lists_are_newest_first_and_their_total_is_the_pages) {
    driver docs(of(aitbc_dialect::docs));
    driver coordinator(of(aitbc_dialect::coordinator));
    std::string last;
    for (int i = 0; i < 25; ++i) {
        docs.submit();
        last = coordinator.submit();
    }
    const auto first = docs.ask("GET", "/v1/jobs?limit=10").json();
    EXPECT_EQ(first.at("total").to_number<int>(), 10);
    EXPECT_TRUE(first.at("has_more").as_bool());
    const auto page = coordinator.ask("GET", "/v1/jobs?offset=20&status=nonsense").json();
    EXPECT_EQ(page.at("total").to_number<int>(), 5);
    EXPECT_EQ(page.at("items").as_array().size(), 5u);
    const auto newest = coordinator.ask("GET", "/v1/jobs?status=queued&limit=1").json();
    EXPECT_EQ(newest.at("items").at(0).at("job_id").as_string(), last);
    EXPECT_EQ(coordinator.ask("GET", "/v1/jobs?status=RUNNING").json().at("total").to_number<int>(), 0);
    EXPECT_EQ(docs.ask("GET", "/v1/jobs/history?from=2026-01-31&to=2026-01-31").json().at("total").to_number<int>(),
              25);
    EXPECT_EQ(docs.ask("GET", "/v1/jobs/history?from=2026-02-01").json().at("total").to_number<int>(), 0);
    EXPECT_EQ(docs.ask("GET", "/v1/jobs?limit=x").status, 422);
}

TEST(aitbc_service, a_lost_reply_leaves_a_job) {
    aitbc_options options = of(aitbc_dialect::docs);
    options.faults.lost_reply = 1;
    driver to(options);
    EXPECT_TRUE(to.ask("POST", "/v1/jobs", docs_body).cut);
    EXPECT_FALSE(to.ask("POST", "/v1/jobs", "{}").cut);
    EXPECT_EQ(to.service.counters().jobs_accepted, 1u);
    EXPECT_EQ(to.service.counters().replies_lost, 1u);
    EXPECT_EQ(to.ask("GET", "/v1/jobs").json().at("total").to_number<int>(), 1);
}

TEST(aitbc_service, a_proxys_error_may_come_after_the_job_was_accepted) {
    aitbc_options options = of(aitbc_dialect::docs);
    options.faults.bad_gateway = 1;
    driver to(options);
    for (int i = 0; i < 40; ++i) {
        const read_response response = to.ask("POST", "/v1/jobs", docs_body);
        EXPECT_EQ(response.status, 502);
        EXPECT_NE(response.body.find("<html>"), std::string::npos);
    }
    EXPECT_GT(to.service.counters().jobs_accepted, 5u);
    EXPECT_LT(to.service.counters().jobs_accepted, 35u);
}

TEST(aitbc_service, the_older_envelope_hides_refusals) {
    aitbc_options options = of(aitbc_dialect::docs);
    options.older_envelope = true;
    driver to(options);
    EXPECT_EQ(to.ask("POST", "/v1/jobs", "{}").status, 500);
}

TEST(aitbc_service, a_request_id_comes_back) {
    driver to(of(aitbc_dialect::docs));
    EXPECT_EQ(to.ask("GET", "/v1/jobs", "", {header_field("x-request-id", "r1")}).header("X-Request-ID"), "r1");
}

TEST(aitbc_service, reads_lists_of_faults) {
    const auto read = aitbc_faults::parse("drop=0.5, late_result=1,late_by_ms=7");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->drop, 0.5);
    EXPECT_EQ(read->late_result, 1);
    EXPECT_EQ(read->late_by_ms, 7u);
    for (const char* wrong : {"drops=1", "drop=2", "drop", "drop=", "late_by_ms=0", "no_such_file"}) {
        EXPECT_FALSE(aitbc_faults::parse(wrong)) << wrong;
    }
}

TEST(aitbc_service, rubbish_is_refused) {
    driver to(of(aitbc_dialect::coordinator));
    for (const char* target : {"", "x", "/", "//", "/v1", "/v1/jobs/%", "/v1/jobs/%zz/result", "/v1/jobs/a/b/c/d",
                               "/v1/jobs?limit=-1", "/v1/jobs?limit=99999999999999999999"}) {
        EXPECT_GE(to.ask("GET", target).status, 400) << target;
    }
}

}  // namespace
}  // namespace vembed::testing
