// The file of outcomes.

#include <filesystem>

#include <gtest/gtest.h>

#include "attest/attest_record.hpp"
#include "support/scratch.hpp"

namespace vembed::attest {
namespace {

using testing::scratch_folder;

attest_identity identity() {
    attest_identity made;
    made.service = "https://service.test";
    made.model = "m";
    return made;
}

row_claim claim(std::uint64_t first, std::uint64_t end, char letter = 'a') {
    row_claim made;
    made.first = first;
    made.end = end;
    made.commitment = std::string(64, letter);
    made.inputs_root = std::string(64, 'b');
    return made;
}

recorded_claim record(const row_claim& of, claim_outcome outcome) {
    recorded_claim made;
    made.claim = of;
    made.outcome = outcome;
    made.job_id = "job_1";
    made.reason = "why\nnot";
    made.receipt = R"({"receipt_id":"r"})";
    return made;
}

TEST(AttestRecord, LinesAreReadBack) {
    for (const auto outcome : {claim_outcome::attested, claim_outcome::rejected, claim_outcome::unverified,
                               claim_outcome::timed_out, claim_outcome::unknown, claim_outcome::refused}) {
        const std::string line = line_of(record(claim(3, 5), outcome));
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const auto read = record_of(line);
        ASSERT_TRUE(read) << line;
        EXPECT_EQ(read->outcome, outcome);
        EXPECT_EQ(read->claim.first, 3U);
        EXPECT_EQ(read->claim.end, 5U);
        EXPECT_EQ(read->claim.commitment, claim(3, 5).commitment);
        EXPECT_EQ(read->reason, "why\nnot");
    }
    for (const char* line : {"", "{}", "[]", R"({"rows":[5,3]})", R"({"rows":[1,2],"commitment":"x"})"}) {
        EXPECT_FALSE(record_of(line)) << line;
    }
}

// Receipts that are read all the same, so that what was paid for is not asked for again.
TEST(AttestRecord, LinesWithOddReceiptsAreReadBack) {
    const std::string deep = R"({"receipt_id":"r","a":)" + std::string(200, '[') + std::string(200, ']') + "}";
    for (const std::string& receipt :
         {std::string(R"({"receipt_id":"r","note":"cut \ud83d"})"), std::string(R"({"note":"\udc00\ud83d"})"), deep}) {
        recorded_claim odd = record(claim(3, 5), claim_outcome::attested);
        odd.receipt = receipt;
        const auto read = record_of(line_of(odd));
        ASSERT_TRUE(read) << receipt;
        EXPECT_EQ(read->reason, "why\nnot");
    }
    // As an earlier version wrote it, and not where a string only says so.
    recorded_claim plain = record(claim(3, 5), claim_outcome::attested);
    std::string line = line_of(plain);
    line.insert(line.find("{\"receipt_id\":\"r\"}"), "\xef\xbb\xbf");
    ASSERT_TRUE(record_of(line)) << line;
    EXPECT_TRUE(outcome_object(line)->at("receipt").is_object());
    plain.reason = ",\"receipt\":\xef\xbb\xbf";
    EXPECT_EQ(record_of(line_of(plain))->reason, plain.reason);
    EXPECT_FALSE(record_of(line.substr(1)));
}

TEST(AttestRecord, LaterOutcomesTakeThePlaceOfEarlierOnesButForAttestedRows) {
    claim_history history;
    EXPECT_TRUE(history.add(record(claim(0, 10), claim_outcome::timed_out)));
    EXPECT_TRUE(history.add(record(claim(10, 20), claim_outcome::attested)));
    EXPECT_TRUE(history.add(record(claim(0, 5), claim_outcome::attested)));
    EXPECT_TRUE(history.add(record(claim(5, 10), claim_outcome::rejected)));
    EXPECT_EQ(history.at(0)->claim.end, 5U);
    EXPECT_EQ(history.at(5)->outcome, claim_outcome::rejected);
    EXPECT_EQ(history.at(3), nullptr);
    EXPECT_EQ(history.next_after(5), 10U);
    EXPECT_EQ(history.next_after(10), std::nullopt);
    EXPECT_FALSE(history.add(record(claim(3, 7), claim_outcome::attested)));
    EXPECT_FALSE(history.add(record(claim(10, 20), claim_outcome::unknown)));
    EXPECT_TRUE(history.add(record(claim(5, 10), claim_outcome::attested)));
}

// Each way of ending, between any two of the durable steps of one request.
TEST(AttestRecord, WhatWasSentAndHasNoOutcomeIsUnknown) {
    const scratch_folder folder;
    const std::string path = folder.file("r.jsonl");
    const auto reopened = [&path] {
        claim_history history;
        const auto file = attest_record_file::open(path, identity(), history);
        EXPECT_TRUE(file) << file.error();
        return history;
    };
    {
        claim_history history;
        auto file = attest_record_file::open(path, identity(), history).value();
        const auto first = file.begin(claim(0, 10)).value();
        const auto second = file.begin(claim(10, 20)).value();
        const auto third = file.begin(claim(20, 30)).value();
        ASSERT_TRUE(file.begin(claim(30, 40)));
        ASSERT_TRUE(file.finish(first, record(claim(0, 10), claim_outcome::attested)));
        ASSERT_TRUE(file.withdraw(second));
        ASSERT_TRUE(file.finish(third, record(claim(20, 30), claim_outcome::timed_out)));
        claim_history other;
        EXPECT_EQ(attest_record_file::open(path, identity(), other).error().kind, errc::folder_mismatch) << "in use";
    }
    const claim_history after = reopened();
    EXPECT_EQ(after.at(0)->outcome, claim_outcome::attested);
    EXPECT_EQ(after.at(10), nullptr);
    EXPECT_EQ(after.at(20)->outcome, claim_outcome::timed_out);
    EXPECT_EQ(after.at(30)->outcome, claim_outcome::unknown);
    EXPECT_EQ(folder.read("r.jsonl.sent"), "");
    {
        // Asked for again, and again without an outcome: what came of it before is no answer to this.
        claim_history history;
        auto file = attest_record_file::open(path, identity(), history).value();
        ASSERT_TRUE(file.begin(claim(20, 30)));
    }
    EXPECT_EQ(reopened().at(20)->outcome, claim_outcome::unknown);
    {
        // The outcome is written, the note that it was sent is still there.
        claim_history history;
        auto file = attest_record_file::open(path, identity(), history).value();
        ASSERT_TRUE(file.begin(claim(10, 20)));
        const std::string sent = folder.read("r.jsonl.sent");
        ASSERT_TRUE(file.finish(1, record(claim(10, 20), claim_outcome::rejected)));
        EXPECT_EQ(folder.read("r.jsonl.sent"), "");
        folder.write("r.jsonl.sent", sent);
    }
    EXPECT_EQ(reopened().at(10)->outcome, claim_outcome::rejected);
}

TEST(AttestRecord, ALineThatWasNotWrittenWholeIsDropped) {
    const scratch_folder folder;
    const std::string path = folder.file("r.jsonl");
    {
        claim_history history;
        auto file = attest_record_file::open(path, identity(), history).value();
        const auto number = file.begin(claim(0, 10)).value();
        ASSERT_TRUE(file.finish(number, record(claim(0, 10), claim_outcome::attested)));
    }
    const std::string whole = folder.read("r.jsonl");
    const std::size_t header = whole.find('\n') + 1;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        folder.write("r.jsonl", whole.substr(0, size));
        claim_history history;
        ASSERT_TRUE(attest_record_file::open(path, identity(), history)) << size;
        EXPECT_EQ(history.at(0), nullptr);
        EXPECT_EQ(folder.read("r.jsonl"), whole.substr(0, header));
    }
}

TEST(AttestRecord, AnotherFileIsLeftAlone) {
    const scratch_folder folder;
    for (const std::string content : {"mine", "mine\n", "{\"a\":1}\n", "{\"vembed_attest\":2}\n", "{\n"}) {
        const std::string path = folder.write("r.jsonl", content);
        claim_history history;
        EXPECT_EQ(attest_record_file::open(path, identity(), history).error().kind, errc::bad_input) << content;
        EXPECT_EQ(folder.read("r.jsonl"), content);
    }
    std::filesystem::remove(folder.file("r.jsonl"));
    claim_history history;
    ASSERT_TRUE(attest_record_file::open(folder.file("r.jsonl"), identity(), history));
    attest_identity other = identity();
    other.model = "n";
    EXPECT_EQ(attest_record_file::open(folder.file("r.jsonl"), other, history).error().kind, errc::folder_mismatch);
}

}  // namespace
}  // namespace vembed::attest
