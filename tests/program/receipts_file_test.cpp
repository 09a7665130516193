#include "folder/read/receipts_file.hpp"

#include <gtest/gtest.h>

namespace vembed::cli {
namespace {

TEST(member_text, finds_the_bytes_of_a_member) {
    const std::string_view object = R"( { "a" : 1 , "b\"}" : [1,{"c":"]}"}] , "c" : { "x" : "\\" } , "d":"q,}" } )";
    EXPECT_EQ(folder::member_text(object, "a"), "1");
    EXPECT_EQ(folder::member_text(object, "b\\\"}"), R"([1,{"c":"]}"}])");
    EXPECT_EQ(folder::member_text(object, "c"), R"({ "x" : "\\" })");
    EXPECT_EQ(folder::member_text(object, "d"), R"("q,}")");
    EXPECT_EQ(folder::member_text(object, "x"), std::nullopt);
}

TEST(member_text, survives_what_is_not_json) {
    for (const char* text : {"", "{", "[]", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":[", "{\"a\":\"", "{\"a\":\"\\",
                             "{a:1}", "{\"b\":[}],\"a\":"}) {
        EXPECT_EQ(folder::member_text(text, "a"), std::nullopt) << text;
    }
}

TEST(read_proven_job, reads_what_the_sink_writes) {
    const auto job = folder::read_proven_job(
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
          R"({"job_id":"j","rows":[[0,99999999999999999]]})", R"({"job_id":"j","rows":[[0,9999999]]})",
          R"({"job_id":"j","rows":[[5,6],[0,1]]})", R"({"job_id":"j","rows":[[0,2],[1,3]]})"}) {
        const auto job = folder::read_proven_job(line, 7);
        ASSERT_FALSE(job) << line;
        EXPECT_EQ(job.error().kind, errc::verification_failed) << line;
        EXPECT_NE(job.error().message.find(":7"), std::string::npos) << "names the line";
    }
}

TEST(read_proven_job, keeps_a_line_whose_responses_cannot_be_read) {
    const auto job = folder::read_proven_job(
        R"({"job_id":"j","rows":[[0,1]],"results":{"job_id":1},"receipt":{"receipt_id":"r"},"verification":7})", 7);
    ASSERT_TRUE(job) << job.error();
    EXPECT_FALSE(job->results);
    EXPECT_FALSE(job->receipt);
    EXPECT_FALSE(job->verification);
    EXPECT_EQ(job->receipt_text, R"({"receipt_id":"r"})") << "as it is, for checks that say what is wrong with it";
    ASSERT_EQ(job->objections.size(), 3U);
    EXPECT_EQ(job->objections[0].substr(0, 8), "results:");
    EXPECT_EQ(job->objections[1].substr(0, 8), "receipt:");
    EXPECT_EQ(job->objections[2].substr(0, 13), "verification:");
}

// What an earlier vembed took for no JSON stands in the line as a string.
TEST(read_proven_job, reads_responses_that_were_written_as_strings) {
    const std::string receipt =
        R"({"receipt_id":"r","job_id":"j","spec_hash":"s","inputs_root":"i","outputs_root":"o","receipt_hash":"h",)"
        R"("note":"cut \ud83d \"here\""})";
    const auto as_string = [](const std::string& text) {
        std::string escaped;
        for (const char c : text) {
            escaped += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        }
        return "\"" + escaped + "\"";
    };
    for (const std::string& mark : {std::string(), std::string("\xef\xbb\xbf")}) {
        const auto job = folder::read_proven_job(R"({"job_id":"j","rows":[[0,1]],"results":)" +
                                                     as_string(mark + R"({"job_id":"j","chunks":[]})") +
                                                     ",\"receipt\":" + as_string(mark + receipt) +
                                                     ",\"verification\":" + as_string(mark + R"({"valid":true})") + "}",
                                                 1);
        ASSERT_TRUE(job) << job.error();
        EXPECT_TRUE(job->objections.empty()) << job->objections.front();
        EXPECT_EQ(job->receipt_text, mark + receipt) << "the service's own bytes";
        ASSERT_TRUE(job->results && job->receipt && job->verification);
        EXPECT_EQ(job->receipt->receipt_id, "r");
    }
    const auto in_place = folder::read_proven_job(R"({"job_id":"j","rows":[[0,1]],"receipt":)" + receipt + "}", 1);
    ASSERT_TRUE(in_place) << in_place.error();
    EXPECT_EQ(in_place->receipt_text, receipt);
    EXPECT_TRUE(in_place->receipt);
    const auto text = folder::read_proven_job(R"({"job_id":"j","rows":[[0,1]],"receipt":"gone"})", 1);
    ASSERT_TRUE(text) << text.error();
    EXPECT_EQ(text->receipt_text, "gone");
    EXPECT_EQ(text->objections.size(), 1U);
}

}  // namespace
}  // namespace vembed::cli
