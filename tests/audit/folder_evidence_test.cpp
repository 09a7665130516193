#include "audit/folder_evidence.hpp"

#include <gtest/gtest.h>

#include "support/scratch.hpp"

namespace vembed::audit {
namespace {

using testing::scratch_folder;

std::string hashes_of(std::string_view text) {
    const input_digests hashes(text);
    std::string record(reinterpret_cast<const char*>(hashes.text.data()), hashes.text.size());
    return record.append(reinterpret_cast<const char*>(hashes.prefixed.data()), hashes.prefixed.size());
}

folder::proven_job job_of_rows() {
    return folder::read_proven_job(
               R"({"job_id":"j1","rows":[[1,3],[4,6]],"output_sha256":"","results":{"job_id":"j1","receipt_id":"r1",)"
               R"("status":"SETTLED","chunks":[{"chunk_index":0,"row_start":0,"row_end":4,"status":"VERIFIED",)"
               R"("output_commitment":"cd","selected_for_verification":true}]},"receipt":null,"verification":null})",
               1)
        .value();
}

TEST(evidence_of, has_what_the_folder_has_of_a_job) {
    folder::manifest about;
    about.model = "m";
    about.dimensions = 3;
    const auto evidence = evidence_of(job_of_rows(), run_facts_recorded(about), nullptr).value();
    EXPECT_EQ(evidence.job_id, "j1");
    EXPECT_EQ(evidence.receipt_id, "r1");
    EXPECT_EQ(evidence.model, "m");
    EXPECT_EQ(evidence.rows, 4U);
    EXPECT_EQ(evidence.dimensions, 3U);
    EXPECT_FALSE(evidence.spec_hash) << "nothing was recorded, so nothing is expected";
    EXPECT_EQ(evidence.results.value().chunks.at(0).commitment, "cd");
    EXPECT_TRUE(evidence.results.value().chunks.at(0).sampled);
    EXPECT_FALSE(evidence.inputs);
    EXPECT_FALSE(evidence.output);
}

TEST(evidence_of, has_the_hashes_of_the_job_s_texts_in_its_order_and_of_those_that_are_there) {
    const scratch_folder folder;
    std::string records;
    for (const char* text : {"a", "b", "c", "d", "e"}) {
        records += hashes_of(text);
    }
    auto texts =
        folder::digest_records::open(folder.write("texts.sha256", records), folder::text_digests_bytes).value().value();
    const auto evidence = evidence_of(job_of_rows(), run_facts_recorded(), &texts).value();
    ASSERT_EQ(evidence.inputs.value().size(), 3U) << "row 5 is beyond the end";
    for (const auto& [place, text] : {std::pair(0, "b"), std::pair(1, "c"), std::pair(2, "e")}) {
        EXPECT_EQ(evidence.inputs->at(place).text, input_digests(text).text);
        EXPECT_EQ(evidence.inputs->at(place).prefixed, input_digests(text).prefixed);
    }
}

}  // namespace
}  // namespace vembed::audit
