#include "cyberian/io/endpoints.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "cyberian/wire/error_table.hpp"
#include "support/scripted_transport.hpp"
#include "support/virtual_time.hpp"

namespace vembed::cyberian {
namespace {

using namespace std::chrono_literals;
using testing_support::scripted_exchange;
using testing_support::scripted_transport;

std::string job_json(const std::string& status, const std::string& id = "j1", int chunks = 2) {
    return R"({"id":")" + id + R"(","status":")" + status + R"(","chunk_count":)" + std::to_string(chunks) + "}";
}

std::string error_json(std::string_view code) {
    return R"({"error":")" + std::string(code) + "\"}";
}

class endpoints_test : public ::testing::Test {
protected:
    void SetUp() override { limit(policy::quota_limits()); }

    void limit(const policy::quota_limits& limits) {
        gate = std::make_shared<admission::gate>(world.context.get_executor(), world.env, limits);
        const auto through = std::make_shared<http::pipeline>(
            world.env, server, gate, secret::from_key("cyb_key").value(), map_error, http::pipeline_options());
        subject = std::make_shared<endpoints>(through);
    }

    void TearDown() override { EXPECT_TRUE(server->finished()) << "something expected was not asked for"; }

    static std::shared_ptr<const job_request> three_texts() {
        return std::make_shared<job_request>(job_request::for_model("m", {"a", "b", "c"}));
    }

    scripted_exchange& expect_submit() {
        return server->expect_post("/jobs").with_body(R"({"model":"m","inputs":["a","b","c"]})");
    }

    result<submission> submit(monotonic_time deadline = no_deadline) {
        return world.run(subject->submit(three_texts(), admission::applicant(), deadline));
    }

    [[nodiscard]] monotonic_time at(monotonic_clock::duration since_start) const { return world.start + since_start; }

    testing_support::simulation world;
    std::shared_ptr<scripted_transport> server = std::make_shared<scripted_transport>(world.env);
    std::shared_ptr<admission::gate> gate;
    std::shared_ptr<endpoints> subject;
};

TEST_F(endpoints_test, submit_gives_the_job_and_its_lease) {
    expect_submit().respond(201, job_json("EXECUTING"));
    {
        const result<submission> sent = submit();
        ASSERT_TRUE(sent) << sent.error();
        EXPECT_EQ(sent->accepted.id, "j1");
        EXPECT_EQ(sent->accepted.chunk_count, 2u);
        EXPECT_EQ(gate->jobs_in_flight(), 1u);
    }
    EXPECT_EQ(gate->jobs_in_flight(), 0u);
}

TEST_F(endpoints_test, a_bad_request_costs_nothing) {
    for (const auto& request : {job_request::for_model("m", {}), job_request::for_model("", {"a"}),
                                job_request::for_model("m", {std::string(70'000, 'x')})}) {
        const auto shared = std::make_shared<job_request>(request);
        EXPECT_EQ(world.run(subject->submit(shared, admission::applicant(), no_deadline)).error().kind,
                  errc::invalid_argument);
        EXPECT_EQ(world.run(subject->verify_outputs(shared, std::string(64, '0'), no_deadline)).error().kind,
                  errc::invalid_argument);
    }
    EXPECT_EQ(world.run(subject->verify_outputs(three_texts(), "beef", no_deadline)).error().kind,
              errc::invalid_argument);
    EXPECT_TRUE(server->seen.empty());
}

TEST_F(endpoints_test, submit_tries_again_after_refusals_that_had_no_effect) {
    expect_submit().respond(429, error_json("rate_limited"), {header_field("Retry-After", "10")});
    expect_submit().respond(503, error_json("service_busy"));
    expect_submit().respond(429, error_json("too_many_inflight"), {header_field("Retry-After", "5")});
    expect_submit().respond(201, job_json("EXECUTING"));
    ASSERT_TRUE(submit());
    ASSERT_EQ(server->seen.size(), 4u);
    const std::chrono::seconds asked[] = {10s, 30s, 5s};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_GE(server->seen[i + 1].at - server->seen[i].at, asked[i]);
        EXPECT_LE(server->seen[i + 1].at - server->seen[i].at, asked[i] + 2s);
    }
}

TEST_F(endpoints_test, submit_says_at_once_that_the_wait_would_pass_its_deadline) {
    expect_submit().respond(503, error_json("service_busy"), {header_field("Retry-After", "100")});
    const auto sent = submit(at(50s));
    EXPECT_EQ(sent.error().kind, errc::service_busy);
    EXPECT_LT(world.elapsed(), 1s);
}

TEST_F(endpoints_test, submit_tries_again_where_nothing_was_sent_but_not_for_ever) {
    for (int i = 0; i < 2; ++i) {
        expect_submit().fail(errc::network, 0);
    }
    expect_submit().respond(201, job_json("EXECUTING"));
    ASSERT_TRUE(submit());
    const std::size_t before = server->seen.size();
    for (std::uint32_t i = 0; i < policy::backoff_options().tries_max; ++i) {
        expect_submit().fail(errc::network, 0);
    }
    EXPECT_EQ(submit().error().kind, errc::network);
    EXPECT_EQ(server->seen.size(), before + policy::backoff_options().tries_max);
    EXPECT_EQ(gate->jobs_in_flight(), 0u);
}

TEST_F(endpoints_test, what_trying_again_cannot_help_is_tried_once) {
    error refused(errc::network, "a certificate that nobody trusts");
    refused.lasting = true;
    expect_submit().fail(refused, 0);
    const auto sent = submit();
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, errc::network);
    EXPECT_TRUE(sent.error().lasting);
    server->expect_get("/models").fail(refused, 0);
    EXPECT_EQ(world.run(subject->get_models(no_deadline)).error().kind, errc::network);
    EXPECT_EQ(server->seen.size(), 2u);
    EXPECT_EQ(gate->jobs_in_flight(), 0u);
}

TEST_F(endpoints_test, a_lost_submit_is_unknown_spent_and_never_repeated) {
    policy::quota_limits limits;
    limits.chunks_per_minute = 1;
    for (const int how : {0, 1, 2, 3, 4}) {
        limit(limits);
        auto& planned = expect_submit();
        switch (how) {
            case 0: planned.fail(errc::network); break;
            case 1: planned.fail(errc::network, 17); break;
            case 2: planned.respond(502, "<html>"); break;
            case 3: planned.respond(500, ""); break;
            default: planned.respond(201, "not the documented response"); break;
        }
        const std::size_t before = server->seen.size();
        const auto sent = submit();
        EXPECT_EQ(sent.error().kind, errc::outcome_unknown) << how;
        EXPECT_EQ(server->seen.size(), before + 1);
        EXPECT_EQ(gate->jobs_in_flight(), 0u);
        auto next = world.begin(gate->enter(1, admission::applicant(), no_deadline));
        world.run_until(world.elapsed() + 59s);
        EXPECT_FALSE(next.ended()) << "it counts as spent";
        world.run_until(world.elapsed() + 2s);
        EXPECT_TRUE(next.ended());
    }
}

TEST_F(endpoints_test, refusals_for_good_come_back_typed_and_give_the_quota_back) {
    policy::quota_limits limits;
    limits.chunks_per_minute = 1;
    struct refusal {
        int status;
        const char* code;
        errc kind;
    };
    for (const refusal& c :
         {refusal{400, "invalid_request", errc::invalid_request}, refusal{400, "unknown_model", errc::unknown_model},
          refusal{401, "unauthorized", errc::unauthorized}, refusal{402, "trial_expired", errc::trial_expired},
          refusal{402, "quota_exceeded", errc::quota_exceeded},
          refusal{413, "request_too_large", errc::request_too_large},
          refusal{429, "quota_exceeded", errc::quota_exceeded}}) {
        limit(limits);
        expect_submit().respond(c.status, error_json(c.code));
        EXPECT_EQ(submit().error().kind, c.kind);
        if (c.kind == errc::quota_exceeded) {
            EXPECT_EQ(submit().error().kind, c.kind) << "known by now: nothing is sent";
            continue;
        }
        expect_submit().respond(201, job_json("EXECUTING"));
        EXPECT_TRUE(submit());
        EXPECT_LT(world.elapsed(), 1s) << "one chunk a minute, and none was spent";
    }
}

TEST_F(endpoints_test, a_submit_cancelled_at_any_point_says_what_became_of_it) {
    limit(policy::quota_limits());
    gate->pause(10s, error(errc::service_busy, "busy"));
    auto waiting = world.begin(subject->submit(three_texts(), admission::applicant(), no_deadline));
    world.run_until(5s);
    waiting.cancel();
    world.run_until(5s);
    EXPECT_EQ(waiting.value().error().kind, errc::cancelled);
    world.run_until(20s);

    expect_submit();
    auto sending = world.begin(subject->submit(three_texts(), admission::applicant(), no_deadline));
    world.run_until(25s);
    sending.cancel();
    world.run_until(25s);
    EXPECT_EQ(sending.value().error().kind, errc::outcome_unknown) << "the request was out";

    expect_submit().fail(errc::network, 0);
    auto resting = world.begin(subject->submit(three_texts(), admission::applicant(), no_deadline));
    world.run_until(25s + 50ms);
    resting.cancel();
    world.run_until(25s + 50ms);
    EXPECT_EQ(resting.value().error().kind, errc::cancelled);
    EXPECT_EQ(gate->jobs_in_flight(), 0u);
}

TEST_F(endpoints_test, learns_how_many_inputs_a_chunk_takes_and_never_estimates_too_low) {
    EXPECT_EQ(subject->rows_per_chunk("m"), 0u);
    const auto submit_many = [&](std::size_t inputs, std::uint64_t chunks) {
        server->expect_post("/jobs").respond(
            201, R"({"id":"j","status":"EXECUTING","chunk_count":)" + std::to_string(chunks) + "}");
        const auto request =
            std::make_shared<job_request>(job_request::for_model("m", std::vector<std::string>(inputs, "x")));
        ASSERT_TRUE(world.run(subject->submit(request, admission::applicant(), no_deadline)));
    };
    submit_many(30, 1);
    EXPECT_EQ(subject->rows_per_chunk("m"), 30u);
    submit_many(250, 3);
    EXPECT_EQ(subject->rows_per_chunk("m"), 84u);
    submit_many(1000, 10);
    EXPECT_EQ(subject->rows_per_chunk("m"), 100u);
    submit_many(101, 2);
    EXPECT_EQ(subject->rows_per_chunk("m"), 100u) << "a poor fit unlearns nothing";
    EXPECT_EQ(subject->rows_per_chunk("other"), 0u);
}

TEST_F(endpoints_test, absurd_chunk_counts_are_not_believed) {
    for (const char* count : {"0", "4", "18446744073709551615", "18446744073709551614", "18446744073709551613"}) {
        limit(policy::quota_limits());
        server->expect_post("/jobs").respond(
            201, R"({"id":"j","status":"EXECUTING","chunk_count":)" + std::string(count) + "}");
        ASSERT_TRUE(submit());
        EXPECT_LE(subject->rows_per_chunk("m"), 3u) << count;
    }
}

TEST_F(endpoints_test, settle_polls_until_the_job_is_done) {
    server->expect_get("/jobs/j1/wait?max_wait=30").after(30s).respond(200, job_json("EXECUTING"));
    server->expect_get("/jobs/j1/wait?max_wait=30").after(30s).respond(200, job_json("PROVING"));
    server->expect_get("/jobs/j1/wait?max_wait=30").after(7s).respond(200, job_json("SETTLED"));
    const auto settled = world.run(subject->settle("j1", no_deadline));
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->status, job_status::settled);
    EXPECT_EQ(world.elapsed(), 67s) << "a long poll that took its time is followed at once";
}

TEST_F(endpoints_test, settle_does_not_hammer_a_service_that_answers_at_once) {
    for (int i = 0; i < 10; ++i) {
        server->expect_get("/jobs/j1/wait?max_wait=30")
            .respond(200, job_json(i % 2 == 0 ? "EXECUTING" : "A_NEW_STATE"));
    }
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("SETTLED"));
    ASSERT_TRUE(world.run(subject->settle("j1", no_deadline)));
    EXPECT_EQ(world.elapsed(), 10s);
}

TEST_F(endpoints_test, settle_asks_more_and_more_seldom_while_nothing_changes) {
    for (int i = 0; i < 6; ++i) {
        server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, R"({"id":"j1","status":"executing"})");
    }
    server->expect_get("/jobs/j1/wait?max_wait=30")
        .respond(200, R"({"id":"j1","status":"settled","chunk_count":null})");
    ASSERT_TRUE(world.run(subject->settle("j1", no_deadline)));
    EXPECT_EQ(world.elapsed(), 1s + 2s + 4s + 5s + 5s + 5s);
}

TEST_F(endpoints_test, a_response_with_an_id_is_a_job_whatever_else_it_says) {
    for (const auto& [body, chunks] : {std::pair(R"({"id":"j"})", 3U),
                                       std::pair(R"({"id":"j","status":null,"chunk_count":null,"created_at":7})", 3U),
                                       std::pair(R"({"id":"j","status":"odd","chunk_count":"2"})", 2U),
                                       std::pair(R"({"id":"j","chunk_count":2.0})", 2U)}) {
        limit(policy::quota_limits());
        expect_submit().respond(201, body);
        const auto sent = submit();
        ASSERT_TRUE(sent) << body << sent.error();
        EXPECT_EQ(sent->accepted.id, "j");
        EXPECT_EQ(sent->accepted.chunk_count, chunks) << body << ": the most that it can be, if it is not told";
    }
    for (const char* body : {R"({"status":"EXECUTING","chunk_count":1})", R"({"id":null})", "{}", "[]", "<html>", ""}) {
        limit(policy::quota_limits());
        expect_submit().respond(201, body);
        EXPECT_EQ(submit().error().kind, errc::outcome_unknown) << body;
    }
}

TEST_F(endpoints_test, an_error_that_is_not_documented_leaves_a_submission_in_doubt) {
    for (const int status : {400, 403, 408, 409, 500, 502, 503}) {
        limit(policy::quota_limits());
        expect_submit().respond(status, error_json("something_else"));
        EXPECT_EQ(submit().error().kind, errc::outcome_unknown) << status;
    }
}

TEST_F(endpoints_test, settle_ends_at_its_deadline_with_the_jobs_id) {
    server->expect_get("/jobs/j1/wait?max_wait=30").after(30s).respond(200, job_json("EXECUTING"));
    server->expect_get("/jobs/j1/wait?max_wait=5").after(5s).respond(200, job_json("PROVING"));
    const auto late = world.run(subject->settle("j1", at(35s)));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, errc::timeout);
    EXPECT_EQ(late.error().job_id, "j1");
    EXPECT_NE(late.error().message.find("PROVING"), std::string::npos);
    EXPECT_EQ(world.elapsed(), 35s);
}

TEST_F(endpoints_test, settle_survives_lost_polls_and_busy_services) {
    server->expect_get("/jobs/j1/wait?max_wait=30").fail(errc::network);
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(503, "", {header_field("Retry-After", "3")});
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, R"({"id":"j1","status":7})");
    const auto broken = world.run(subject->settle("j1", no_deadline));
    EXPECT_EQ(broken.error().kind, errc::protocol) << "a 200 that breaks the contract";
    EXPECT_EQ(broken.error().job_id, "j1");
}

TEST_F(endpoints_test, settle_waits_out_a_page_in_the_services_place) {
    for (const auto& [status, page] : {std::pair(404, "<html>"), std::pair(200, "<html>"), std::pair(200, ""),
                                       std::pair(404, ""), std::pair(409, "[ingress]")}) {
        server->expect_get("/jobs/j1/wait?max_wait=30").respond(status, page);
    }
    server->expect_get("/jobs/j1/wait?max_wait=30").after(30s).respond(200, job_json("EXECUTING"));
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(404, "<html>");
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("SETTLED"));
    const auto settled = world.run(subject->settle("j1", no_deadline));
    ASSERT_TRUE(settled) << settled.error();
    EXPECT_EQ(settled->status, job_status::settled);
}

TEST_F(endpoints_test, settle_leaves_pages_before_the_first_answer_to_a_caller_that_asks_again_itself) {
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(404, "<html>");
    const auto at_first = world.run(subject->settle("j1", no_deadline, 0s));
    ASSERT_FALSE(at_first);
    EXPECT_EQ(at_first.error().http_status, 404);
    EXPECT_EQ(world.elapsed(), 0s);
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("EXECUTING"));
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(404, "<html>");
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, "<html>");
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("SETTLED"));
    const auto settled = world.run(subject->settle("j1", no_deadline, 0s));
    ASSERT_TRUE(settled) << "the service knows the job: " << settled.error();
    EXPECT_EQ(settled->status, job_status::settled);
}

TEST_F(endpoints_test, settle_ends_with_a_page_that_stays) {
    for (int i = 0; i < 8; ++i) {
        server->expect_get("/jobs/j1/wait?max_wait=30").respond(404, "<html>");
    }
    const auto gone = world.run(subject->settle("j1", no_deadline));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().http_status, 404);
    EXPECT_EQ(gone.error().job_id, "j1");
    EXPECT_EQ(world.elapsed(), 2s + 4s + 5s * 5);
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(404, "<html>");
    auto settling = world.begin(subject->settle("j1", no_deadline));
    world.run_until(world.elapsed() + 1s);
    settling.cancel();
    world.run_until(world.elapsed());
    EXPECT_EQ(settling.value().error().kind, errc::cancelled);
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(404, error_json("not_found"));
    EXPECT_EQ(world.run(subject->settle("j1", no_deadline)).error().kind, errc::not_found) << "the service's own word";
}

// A refusal that begins with a character of JSON's is a proxy's all the same, so nothing was bought.
TEST_F(endpoints_test, a_429_that_is_no_json_is_waited_out) {
    expect_submit().respond(429, "[WAF] denied", {header_field("Retry-After", "2")});
    expect_submit().respond(201, job_json("EXECUTING"));
    const auto sent = submit();
    ASSERT_TRUE(sent) << sent.error();
}

TEST_F(endpoints_test, a_failed_job_brings_its_failed_chunks) {
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("FAILED"));
    server->expect_get("/jobs/j1/results").respond(200, R"({"job_id":"j1","status":"FAILED","chunks":[
            {"chunk_index":0,"row_start":0,"row_end":100,"status":"VERIFIED"},
            {"chunk_index":1,"row_start":100,"row_end":200,"status":"MISMATCH"},
            {"chunk_index":2,"row_start":200,"row_end":250,"status":"PENDING"}]})");
    const auto failed = world.run(subject->settle("j1", no_deadline));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, errc::job_failed);
    EXPECT_EQ(failed.error().job_id, "j1");
    ASSERT_EQ(failed.error().failed_chunks.size(), 2u);
    EXPECT_EQ(failed.error().failed_chunks[0].row_start, 100u);
    EXPECT_EQ(failed.error().failed_chunks[0].row_end, 200u);
    EXPECT_EQ(failed.error().failed_chunks[0].status, "MISMATCH");
    EXPECT_THROW((void)failed.value(), job_failed_error);
}

TEST_F(endpoints_test, a_failed_job_whose_results_cannot_be_had_is_still_a_failed_job) {
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("FAILED"));
    server->expect_get("/jobs/j1/results").respond(404, error_json("not_found"));
    const auto failed = world.run(subject->settle("j1", no_deadline));
    EXPECT_EQ(failed.error().kind, errc::job_failed);
    EXPECT_TRUE(failed.error().failed_chunks.empty());
}

TEST_F(endpoints_test, a_refunded_job_is_its_own_outcome) {
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("REFUNDED"));
    const auto refunded = world.run(subject->settle("j1", no_deadline));
    EXPECT_EQ(refunded.error().kind, errc::job_refunded);
    EXPECT_EQ(refunded.error().job_id, "j1");
}

TEST_F(endpoints_test, what_is_said_of_another_job_is_not_taken_for_this_one) {
    server->expect_get("/jobs/j1/wait?max_wait=30").respond(200, job_json("SETTLED", "j2"));
    EXPECT_EQ(world.run(subject->settle("j1", no_deadline)).error().kind, errc::protocol);
    server->expect_get("/jobs/j1").respond(200, job_json("SETTLED", "j2"));
    EXPECT_EQ(world.run(subject->get_job("j1", no_deadline)).error().kind, errc::protocol);
    server->expect_get("/jobs/j1/results").respond(200, R"({"job_id":"j2","status":"SETTLED","chunks":[]})");
    EXPECT_EQ(world.run(subject->results("j1", no_deadline)).error().kind, errc::verification_failed);
}

TEST_F(endpoints_test, settle_is_cancelled_with_the_jobs_id) {
    server->expect_get("/jobs/j1/wait?max_wait=30");
    auto settling = world.begin(subject->settle("j1", no_deadline));
    world.run_until(3s);
    settling.cancel();
    world.run_until(3s);
    EXPECT_EQ(settling.value().error().kind, errc::cancelled);
    EXPECT_EQ(settling.value().error().job_id, "j1");
}

TEST_F(endpoints_test, a_wait_asks_for_0_to_30_seconds) {
    for (const auto& [asked, sent] :
         {std::pair(-5s, "0"), std::pair(0s, "0"), std::pair(7s, "7"), std::pair(90s, "30")}) {
        server->expect_get("/jobs/j1/wait?max_wait=" + std::string(sent)).respond(200, job_json("EXECUTING"));
        ASSERT_TRUE(world.run(subject->wait_job("j1", asked, no_deadline)));
    }
}

TEST_F(endpoints_test, ids_that_could_name_something_else_reach_no_path) {
    class nowhere final : public rows_place {
    public:
        result<std::span<float>> place(std::uint64_t, std::uint64_t) override { return std::span<float>(); }
    };
    nowhere place;
    for (const std::string& id : {std::string(), std::string("."), std::string(".."), std::string("%2e%2e"),
                                  std::string("a\r\nb"), std::string("a\0b", 3), std::string(300, 'a')}) {
        EXPECT_EQ(world.run(subject->get_job(id, no_deadline)).error().kind, errc::invalid_argument);
        EXPECT_EQ(world.run(subject->wait_job(id, 1s, no_deadline)).error().kind, errc::invalid_argument);
        EXPECT_EQ(world.run(subject->settle(id, no_deadline)).error().kind, errc::invalid_argument);
        EXPECT_EQ(world.run(subject->results(id, no_deadline)).error().kind, errc::invalid_argument);
        EXPECT_EQ(world.run(subject->output(id, 1, &place, {}, false, no_deadline)).error().kind,
                  errc::invalid_argument);
        EXPECT_EQ(world.run(subject->get_receipt(id, no_deadline)).error().kind, errc::invalid_argument);
        EXPECT_EQ(world.run(subject->verify_receipt(id, no_deadline)).error().kind, errc::invalid_argument);
    }
    EXPECT_TRUE(server->seen.empty());
    server->expect_get("/jobs/a%2Fb%3Fc%23d").respond(200, job_json("SETTLED", "a/b?c#d"));
    EXPECT_TRUE(world.run(subject->get_job("a/b?c#d", no_deadline)));
}

class vector_place final : public rows_place {
public:
    std::vector<float> values;
    result<std::span<float>> place(std::uint64_t rows, std::uint64_t dimensions) override {
        values.assign(rows * dimensions, 0.0f);
        return std::span<float>(values);
    }
};

std::string bytes_of(const std::vector<float>& values) {
    std::string bytes(values.size() * 4, '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

std::vector<header_field> shape(const char* text) {
    return {header_field("X-Cyberian-Shape", text), header_field("X-Cyberian-Dtype", "float32")};
}

TEST_F(endpoints_test, output_is_read_checked_and_hashed) {
    const std::vector<float> rows = {1, 2, 3, 4};
    const std::string bytes = bytes_of(rows);
    server->expect_get("/jobs/j1/output").respond(200, bytes, shape("2,2")).breaking_off_after(9);
    server->expect_get("/jobs/j1/output").respond(200, bytes, shape("2,2"));
    vector_place place;
    std::vector<expected_chunk> chunks = {expected_chunk(0, 0, 2, to_hex(sha256_of(bytes)))};
    const auto report = world.run(subject->output("j1", 2, &place, chunks, false, no_deadline));
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->dimensions, 2u);
    EXPECT_EQ(place.values, rows);
    ASSERT_EQ(report->chunk_digests.size(), 1u);
    EXPECT_EQ(report->chunk_digests[0], sha256_of(bytes));
}

TEST_F(endpoints_test, output_that_is_wrong_is_not_handed_out) {
    struct wrong {
        const char* what;
        std::vector<float> rows;
        const char* shape;
        errc kind;
        int tries;
    };
    const int tries = 2;  // The same fault in a second complete response ends the asking.
    for (const wrong& c : {
             wrong{"another hash", {1, 2, 3, 5}, "2,2", errc::verification_failed, 1},
             wrong{"a row of zeros", {1, 2, 0, 0}, "2,2", errc::verification_failed, 1},
             wrong{"not a number",
                   {1, 2, 3, std::numeric_limits<float>::quiet_NaN()},
                   "2,2",
                   errc::verification_failed,
                   1},
             wrong{"other rows", {1, 2, 3, 4}, "4,1", errc::verification_failed, 1},
             wrong{"shape and length differ", {1, 2, 3}, "2,2", errc::protocol, tries},
         }) {
        for (int i = 0; i < c.tries; ++i) {
            server->expect_get("/jobs/j1/output").respond(200, bytes_of(c.rows), shape(c.shape));
        }
        vector_place place;
        std::vector<expected_chunk> chunks = {expected_chunk(0, 0, 2, to_hex(sha256_of(bytes_of({1, 2, 3, 4}))))};
        const auto report = world.run(subject->output("j1", 2, &place, chunks, false, no_deadline));
        ASSERT_FALSE(report) << c.what;
        EXPECT_EQ(report.error().kind, c.kind) << c.what;
        EXPECT_EQ(report.error().job_id, "j1");
    }
}

TEST_F(endpoints_test, output_before_it_settled_is_the_services_refusal) {
    server->expect_get("/jobs/j1/output").respond(404, error_json("not_found"));
    vector_place place;
    const auto report = world.run(subject->output("j1", 2, &place, {}, false, no_deadline));
    EXPECT_EQ(report.error().kind, errc::not_found);
    EXPECT_TRUE(place.values.empty()) << "an error's body never reaches the rows";
}

TEST_F(endpoints_test, plain_reads) {
    server->expect_get("/models").respond(200, R"({"models":[{"id":"m","output_dimensions":4}]})");
    EXPECT_EQ(world.run(subject->get_models(no_deadline))->at(0).id, "m");
    server->expect_get("/account").respond(200, R"({"account_id":"a"})");
    EXPECT_EQ(world.run(subject->get_account(no_deadline))->account_id, "a");
    server->expect_get("/receipts/r1/verify").respond(200, R"({"valid":false,"errors":["x"]})");
    EXPECT_FALSE(world.run(subject->verify_receipt("r1", no_deadline))->valid) << "an answer, not a failure";
    server->expect_get("/receipts/r1").respond(404, error_json("not_found"));
    EXPECT_EQ(world.run(subject->get_receipt("r1", no_deadline)).error().kind, errc::not_found);
    for (const auto& request : server->seen) {
        EXPECT_TRUE(request.authorized);
    }
    server->expect_get("/health").respond(200, R"({"ok":true})");
    EXPECT_TRUE(world.run(subject->get_health(no_deadline))->ok);
    EXPECT_FALSE(server->seen.back().authorized) << "health needs no key";
}

constexpr const char* receipt_json =
    R"({"receipt_id":"r","job_id":"j","spec_hash":"s","inputs_root":"i","outputs_root":"o","receipt_hash":"h"})";

TEST_F(endpoints_test, verify_outputs_is_sent_once_and_typed) {
    struct verify_case {
        std::optional<int> status;
        std::string body;
        std::optional<errc> kind;
    };
    for (const verify_case& c : {
             verify_case{200, receipt_json, {}},
             verify_case{200, "{}", errc::outcome_unknown},
             verify_case{422, R"({"error":"verification_failed","reason":"outputs differ","job_id":"j9"})",
                         errc::verification_failed},
             verify_case{504, error_json("verification_timeout"), errc::verification_timeout},
             verify_case{504, "<html>", errc::outcome_unknown},
             verify_case{413, error_json("request_too_large"), errc::request_too_large},
             verify_case{400, R"({"error":"invalid_request","message":"One CHUNK only"})", errc::request_too_large},
             verify_case{400, R"({"error":"invalid_request","message":"no"})", errc::invalid_request},
             verify_case{400, error_json("unknown_model"), errc::unknown_model},
             verify_case{std::nullopt, "", errc::outcome_unknown},
         }) {
        limit(policy::quota_limits());
        auto& planned = server->expect_post("/verify");
        c.status ? planned.respond(*c.status, c.body) : planned.fail(errc::network);
        const auto verified = world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), no_deadline));
        EXPECT_EQ(verified.has_value(), !c.kind) << c.body;
        if (c.kind && !verified) {
            EXPECT_EQ(verified.error().kind, *c.kind) << verified.error();
        }
        EXPECT_EQ(gate->jobs_in_flight(), 0u);
    }
    EXPECT_NE(server->seen.at(0).body.find(R"("claimed_output_commitment":"aaaa)"), std::string::npos);
}

TEST_F(endpoints_test, a_verification_is_named_by_its_failures) {
    server->expect_post("/verify").respond(
        422, R"({"error":"verification_failed","reason":"outputs differ","job_id":"j9"})");
    const auto wrong = world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), no_deadline));
    EXPECT_EQ(wrong.error().job_id, "j9");
    EXPECT_EQ(wrong.error().message, "outputs differ");
    server->expect_post("/verify").respond(504, R"({"error":"verification_timeout","job_id":"j10"})");
    const auto late = world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), no_deadline));
    EXPECT_EQ(late.error().job_id, "j10");
    EXPECT_NE(late.error().message.find("charged a second time"), std::string::npos) << late.error();
}

TEST_F(endpoints_test, a_verification_waits_for_its_response_beyond_a_requests_time) {
    server->expect_post("/verify").after(70s).respond(200, receipt_json);
    EXPECT_TRUE(world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), no_deadline)));
    server->expect_post("/verify").after(700s).respond(200, receipt_json);
    EXPECT_EQ(world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), no_deadline)).error().kind,
              errc::outcome_unknown);
}

TEST_F(endpoints_test, a_verification_is_sent_again_after_refusals_that_had_no_effect) {
    server->expect_post("/verify").respond(429, error_json("rate_limited"), {header_field("Retry-After", "10")});
    server->expect_post("/verify").respond(503, error_json("service_busy"));
    server->expect_post("/verify").fail(errc::network, 0);
    server->expect_post("/verify").respond(200, receipt_json);
    EXPECT_TRUE(world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), no_deadline)));
    server->expect_post("/verify").respond(429, error_json("rate_limited"), {header_field("Retry-After", "10")});
    const auto late = world.run(subject->verify_outputs(three_texts(), std::string(64, 'a'), at(60s)));
    EXPECT_EQ(late.error().kind, errc::rate_limited);
    EXPECT_EQ(gate->jobs_in_flight(), 0u);
}

TEST_F(endpoints_test, a_verification_of_more_than_the_specifications_chunk_is_not_sent) {
    const std::string spec = "model: m\nchunking:\n  chunk_size: 2\n";
    const auto three = std::make_shared<job_request>(job_request::for_spec(spec, {"a", "b", "c"}));
    const auto refused = world.run(subject->verify_outputs(three, std::string(64, 'a'), no_deadline));
    EXPECT_EQ(refused.error().kind, errc::request_too_large);
    EXPECT_NE(refused.error().message.find("2 rows"), std::string::npos);
    EXPECT_TRUE(server->seen.empty());
    server->expect_post("/verify").respond(200, receipt_json);
    const auto two = std::make_shared<job_request>(job_request::for_spec(spec, {"a", "b"}));
    EXPECT_TRUE(world.run(subject->verify_outputs(two, std::string(64, 'a'), no_deadline)));
}

TEST_F(endpoints_test, a_lost_rotation_is_unknown_and_never_repeated) {
    server->expect_post("/auth/keys/rotate").with_body("").respond(201, R"({"api_key":"cyb_new","key_id":"k2"})");
    const auto rotated = world.run(subject->rotate_key(no_deadline));
    ASSERT_TRUE(rotated);
    EXPECT_EQ(rotated->api_key, "cyb_new");

    server->expect_post("/auth/keys/rotate").fail(errc::network);
    const auto lost = world.run(subject->rotate_key(no_deadline));
    EXPECT_EQ(lost.error().kind, errc::outcome_unknown);
    EXPECT_NE(lost.error().message.find("A new key may exist"), std::string::npos);

    server->expect_post("/auth/keys/rotate").respond(201, R"({"api_key":"cyb_new","key_id":)");
    const auto unreadable = world.run(subject->rotate_key(no_deadline));
    EXPECT_EQ(unreadable.error().kind, errc::outcome_unknown);
    EXPECT_EQ(unreadable.error().describe().find("cyb_new"), std::string::npos);
    EXPECT_EQ(unreadable.error().raw_body, "");

    server->expect_post("/auth/keys/rotate").respond(401, error_json("unauthorized"));
    EXPECT_EQ(world.run(subject->rotate_key(no_deadline)).error().kind, errc::unauthorized);
    server->expect_post("/auth/keys/rotate").fail(errc::network, 0);
    EXPECT_EQ(world.run(subject->rotate_key(no_deadline)).error().kind, errc::network) << "certainly not rotated";
}

TEST_F(endpoints_test, revoking_is_idempotent_and_repeated) {
    server->expect_post("/auth/keys/revoke").with_body(R"({"key_id":"k\"1"})").fail(errc::network);
    server->expect_post("/auth/keys/revoke").with_body(R"({"key_id":"k\"1"})").respond(200, "");
    EXPECT_TRUE(world.run(subject->revoke_key("k\"1", no_deadline)));
    EXPECT_EQ(world.run(subject->revoke_key("", no_deadline)).error().kind, errc::invalid_argument);
    EXPECT_EQ(world.run(subject->revoke_key("\xff", no_deadline)).error().kind, errc::invalid_argument);
}

TEST_F(endpoints_test, raw_requests_go_through_the_same_rules) {
    server->expect_get("/new?x=1").fail(errc::network);
    server->expect_get("/new?x=1").respond(200, "anything");
    EXPECT_EQ(world.run(subject->raw(http_method::get, "/new?x=1", "", no_deadline))->body, "anything");
    server->expect_post("/new").with_body("{}").fail(errc::network);
    EXPECT_EQ(world.run(subject->raw(http_method::post, "/new", "{}", no_deadline)).error().kind,
              errc::outcome_unknown);
    for (const char* bad : {"", "new", "https://elsewhere/", "/a b", "/a\r\nX: y", "/a#b", "/\xc3\xa9", "/a\x7f"}) {
        EXPECT_EQ(world.run(subject->raw(http_method::get, bad, "", no_deadline)).error().kind, errc::invalid_argument);
    }
}

}  // namespace
}  // namespace vembed::cyberian
