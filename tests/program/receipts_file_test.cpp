#include "cli/receipts_file.hpp"

#include <gtest/gtest.h>

#include "cli/folder_verification.hpp"

namespace vembed::cli {
namespace {

TEST(member_text, finds_the_bytes_of_a_member) {
    const std::string_view object = R"( { "a" : 1 , "b\"}" : [1,{"c":"]}"}] , "c" : { "x" : "\\" } , "d":"q,}" } )";
    EXPECT_EQ(member_text(object, "a"), "1");
    EXPECT_EQ(member_text(object, "b\\\"}"), R"([1,{"c":"]}"}])");
    EXPECT_EQ(member_text(object, "c"), R"({ "x" : "\\" })");
    EXPECT_EQ(member_text(object, "d"), R"("q,}")");
    EXPECT_EQ(member_text(object, "x"), std::nullopt);
}

TEST(member_text, survives_what_is_not_json) {
    for (const char* text : {"", "{", "[]", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":[", "{\"a\":\"", "{\"a\":\"\\",
                             "{a:1}", "{\"b\":[}],\"a\":"}) {
        EXPECT_EQ(member_text(text, "a"), std::nullopt) << text;
    }
}

TEST(read_proven_job, reads_what_the_sink_writes) {
    const auto job = read_proven_job(
        R"({"batch":3,"job_id":"j1","rows":[[0,2],[5,8]],"output_sha256":"ab","results":{"job_id":"j1",)"
        R"("status":"SETTLED","chunks":[{"chunk_index":0,"row_start":0,"row_end":5,"status":"VERIFIED",)"
        R"("output_commitment":"cd","selected_for_verification":true}]},"receipt":null,"verification":null})",
        7);
    ASSERT_TRUE(job) << job.error();
    EXPECT_EQ(job->job_id, "j1");
    EXPECT_EQ(job->rows, (row_ranges{{0, 2}, {5, 8}}));
    EXPECT_EQ(job->row_count(), 5u);
    ASSERT_TRUE(job->results);
    EXPECT_TRUE(job->results->chunks.at(0).selected_for_verification);
    EXPECT_FALSE(job->receipt);
    EXPECT_EQ(job->corpus_rows(1, 4), (row_ranges{{1, 2}, {5, 7}}));
    EXPECT_EQ(job->corpus_rows(0, 5), job->rows);
    EXPECT_EQ(job->corpus_rows(5, 9), row_ranges());
}

TEST(read_proven_job, refuses_what_it_does_not) {
    for (const char* line :
         {"", "[]", "{}", R"({"job_id":"j"})", R"({"job_id":"j","rows":[]})", R"({"job_id":"j","rows":[[2,1]]})",
          R"({"job_id":"j","rows":[[-1,1]]})", R"({"job_id":"j","rows":[[0,1e99]]})", R"({"job_id":1,"rows":[[0,1]]})",
          R"({"job_id":"j","rows":[[0,99999999999999999]]})", R"({"job_id":"j","rows":[[0,1]],"receipt":7})"}) {
        const auto job = read_proven_job(line, 7);
        ASSERT_FALSE(job) << line;
        EXPECT_EQ(job.error().kind, errc::verification_failed) << line;
        EXPECT_NE(job.error().message.find(":7"), std::string::npos) << "names the line";
    }
}

TEST(check_tally, the_worst_answer_counts) {
    check_tally tally("name", "recorded", "files", true);
    EXPECT_EQ(tally.answer(), check_answer::verified);
    tally.pass();
    EXPECT_EQ(tally.answer(), check_answer::verified);
    tally.leave("why");
    EXPECT_EQ(tally.answer(), check_answer::not_checkable);
    for (std::size_t i = 0; i < check_tally::findings_max + 5; ++i) {
        tally.fail("what");
    }
    EXPECT_EQ(tally.answer(), check_answer::failed);
    EXPECT_EQ(tally.findings.size(), check_tally::findings_max);
    EXPECT_EQ(tally.failed, check_tally::findings_max + 5);
}

TEST(pinned_check, a_difference_counts_once_the_rule_is_known_to_hold) {
    struct row {
        bool match;
        bool certain;
        check_answer answer;
    };
    for (const row& expected : {row{false, false, check_answer::not_checkable}, row{true, false, check_answer::failed},
                                row{false, true, check_answer::failed}}) {
        pinned_check check(check_tally("name", "implied", "chunks", true));
        check.differ("what");
        if (expected.match) {
            check.match();
        }
        EXPECT_EQ(check.judge(expected.certain).answer(), expected.answer);
    }
    pinned_check same(check_tally("name", "implied", "chunks", true));
    same.match();
    EXPECT_EQ(same.judge(true).answer(), check_answer::verified);
}

}  // namespace
}  // namespace vembed::cli
