#include "aitbc/wire/codec.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace vembed::aitbc {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h;

TEST(aitbc_codec, every_state_in_any_case) {
    for (const auto& [word, state] :
         {std::pair("QUEUED", job_state::waiting), std::pair("pending", job_state::waiting),
          std::pair("Submitted", job_state::waiting), std::pair("ASSIGNED", job_state::waiting),
          std::pair("RUNNING", job_state::running), std::pair("canceling", job_state::running),
          std::pair("completed", job_state::completed), std::pair("COMPLETED", job_state::completed),
          std::pair("FAILED", job_state::failed), std::pair("CANCELED", job_state::cancelled),
          std::pair("cancelled", job_state::cancelled), std::pair("EXPIRED", job_state::expired),
          std::pair("paused", job_state::unknown), std::pair("", job_state::unknown)}) {
        EXPECT_EQ(state_of(word), state) << word;
        const bool ends = state == job_state::completed || state == job_state::failed ||
                          state == job_state::cancelled || state == job_state::expired;
        EXPECT_EQ(is_terminal(state), ends) << word;
    }
}

TEST(aitbc_codec, a_job_of_either_dialect) {
    const auto docs = read_job(
        R"({"job_id":"j1","status":"running","progress":"45.5","miner_id":"m","created_at":"2026-01-31T12:00:00Z",
            "started_at":"2026-01-31T12:00:00.250","completed_at":null,"result":null,"new":[1]})");
    ASSERT_TRUE(docs) << docs.error();
    EXPECT_EQ(docs->id, "j1");
    EXPECT_EQ(docs->state, job_state::running);
    EXPECT_EQ(docs->progress, 45.5);
    EXPECT_EQ(docs->miner_id, "m");
    EXPECT_EQ(docs->created_at, noon);
    EXPECT_EQ(docs->started_at, noon + 250ms);
    EXPECT_FALSE(docs->completed_at);
    EXPECT_FALSE(docs->result);
    EXPECT_EQ(docs->raw.at("new").at(0).as_int64(), 1);
    const auto coordinator = read_job(
        R"({"job_id":"0f","state":"QUEUED","assigned_miner_id":"m2","requested_at":"2026-01-31T12:00:00+00:00Z",
            "expires_at":"2026-01-31T12:15:00","error":null,"payment_id":"p","payment_status":"escrowed",
            "payload":{"model":"llama","prompt":"x"}})");
    ASSERT_TRUE(coordinator) << coordinator.error();
    EXPECT_EQ(coordinator->state, job_state::waiting);
    EXPECT_EQ(coordinator->miner_id, "m2");
    EXPECT_EQ(coordinator->created_at, noon);
    EXPECT_EQ(coordinator->expires_at, noon + 15min);
    EXPECT_EQ(coordinator->payment_status, "escrowed");
    EXPECT_EQ(coordinator->model, "llama");
    for (const char* body : {R"({"id":7})", R"({"jobId":"7","status":5,"created_at":"yesterday","progress":"much"})"}) {
        const auto bare = read_job(body);
        ASSERT_TRUE(bare) << body << bare.error();
        EXPECT_EQ(bare->id, "7");
        EXPECT_EQ(bare->state, job_state::unknown);
        EXPECT_FALSE(bare->created_at || bare->progress);
    }
    for (const char* body : {"", "[]", "{}", R"({"job_id":null})", R"({"job_id":""})", R"({"job_id":[1]})", "<html>"}) {
        const auto read = read_job(body);
        ASSERT_FALSE(read) << body;
        EXPECT_EQ(read.error().kind, errc::protocol);
    }
}

TEST(aitbc_codec, a_completed_job_whose_result_says_failed_has_failed) {
    const auto failed =
        read_job(R"({"job_id":"j","state":"COMPLETED","result":{"status":"FAILED","error":"no memory"}})");
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->state, job_state::failed);
    EXPECT_TRUE(failed->failed_by_result);
    EXPECT_EQ(failed->state_text, "COMPLETED");
    EXPECT_EQ(failed->error, "no memory");
    for (const char* result : {R"("failed")", R"(["failed"])", R"({"status":"ok"})", R"({"error":"failed"})", "0",
                               "false", R"({"status":{"status":"failed"}})"}) {
        const auto done = read_job(R"({"job_id":"j","status":"completed","result":)" + std::string(result) + "}");
        ASSERT_TRUE(done);
        EXPECT_EQ(done->state, job_state::completed) << result;
        EXPECT_EQ(boost::json::serialize(*done->result), result);
    }
    EXPECT_EQ(read_job(R"({"job_id":"j","status":"running","result":{"status":"failed"}})")->state, job_state::running);
}

TEST(aitbc_codec, the_response_to_a_submission) {
    const auto docs = read_submitted(R"({"job_id":"j","estimated_cost":"1.50","estimated_time_seconds":30})");
    ASSERT_TRUE(docs) << docs.error();
    EXPECT_EQ(docs->job.id, "j");
    EXPECT_EQ(docs->estimated_cost, 1.5);
    EXPECT_EQ(docs->estimated_time_seconds, 30.0);
    const auto coordinator = read_submitted(R"({"job_id":"j","state":"QUEUED"})");
    ASSERT_TRUE(coordinator);
    EXPECT_EQ(coordinator->job.state, job_state::waiting);
    EXPECT_FALSE(coordinator->estimated_cost);
    EXPECT_FALSE(read_submitted(R"({"estimated_cost":1})"));
}

TEST(aitbc_codec, pages_of_every_form) {
    struct page_row {
        const char* body;
        std::uint64_t asked;
        std::size_t jobs;
        bool more;
    };
    for (const page_row& r : {
             page_row{R"({"jobs":[{"job_id":"a","status":"running","model":"m"}],"total":9,"has_more":true})", 20, 1,
                      true},
             page_row{R"({"jobs":[{"job_id":"a"}],"total":9,"has_more":false})", 1, 1, false},
             page_row{R"({"items":[{"job_id":"a"},{"job_id":"b"}],"total":2,"limit":2,"offset":0})", 2, 2, true},
             page_row{R"({"items":[{"job_id":"a"}],"total":50,"limit":2,"offset":2})", 2, 1, false},
             page_row{R"([{"id":"a"},{"id":"b"}])", 3, 2, false},
             page_row{R"({"jobs":[],"has_more":true})", 20, 0, false},
             page_row{"[]", 0, 0, false},
         }) {
        const auto page = read_page(r.body, r.asked);
        ASSERT_TRUE(page) << r.body << page.error();
        EXPECT_EQ(page->jobs.size(), r.jobs) << r.body;
        EXPECT_EQ(page->more, r.more) << r.body;
    }
    EXPECT_EQ(read_page(R"([{"id":"a"},{"no":1},5])", 20)->unreadable, 2u);
    EXPECT_FALSE(read_page(R"({"total":1})", 20));
    EXPECT_FALSE(read_page("5", 20));
}

TEST(aitbc_codec, outputs) {
    const auto done = read_output(R"({"result":[1,2],"receipt":{"receipt_id":"r","client":"the-key-itself"}})");
    ASSERT_TRUE(done) << done.error();
    EXPECT_EQ(boost::json::serialize(*done->result), "[1,2]");
    ASSERT_TRUE(done->receipt);
    EXPECT_EQ(done->receipt->receipt_id, "r");
    EXPECT_EQ(boost::json::serialize(done->raw).find("the-key-itself"), std::string::npos);
    EXPECT_EQ(boost::json::serialize(done->receipt->raw).find("the-key-itself"), std::string::npos);
    const auto failed = read_output(R"({"result":{"status":"failed","error":"x"},"receipt":null})");
    EXPECT_TRUE(failed->says_failed);
    EXPECT_EQ(failed->error, "x");
    EXPECT_FALSE(read_output(R"({"result":null,"receipt":null})"));
}

TEST(aitbc_codec, the_error_of_each_end) {
    job ended;
    ended.id = "j";
    ended.error = "why";
    for (const auto& [state, kind] :
         {std::pair(job_state::failed, errc::job_failed), std::pair(job_state::cancelled, errc::job_cancelled),
          std::pair(job_state::expired, errc::job_expired)}) {
        ended.state = state;
        const error f = outcome_error(ended);
        EXPECT_EQ(f.kind, kind);
        EXPECT_EQ(f.job_id, "j");
        EXPECT_NE(f.message.find("why"), std::string::npos);
    }
}

}  // namespace
}  // namespace vembed::aitbc
