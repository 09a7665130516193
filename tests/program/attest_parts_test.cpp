// The parts of `vembed attest`: headers of matrices, the file of outcomes, what a failure means.

#include <filesystem>

#include <gtest/gtest.h>

#include "attest/attest_record.hpp"
#include "cli/report/attest_report.hpp"
#include "folder/records/npy_input.hpp"
#include "support/scratch.hpp"

namespace vembed::cli {
namespace {

using testing::scratch_folder;

std::string npy(const std::string& header, int version = 1) {
    std::string text = "\x93NUMPY";
    text += static_cast<char>(version);
    text += '\0';
    text += static_cast<char>(header.size() & 0xff);
    text += static_cast<char>(header.size() >> 8);
    text += version == 1 ? std::string() : std::string(2, '\0');
    return text + header;
}

TEST(NpyHeader, IsReadAsNumpyWritesIt) {
    const std::string plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }   \n";
    for (const int version : {1, 2, 3}) {
        const auto layout = folder::read_npy_layout(npy(plain, version) + "rows");
        ASSERT_TRUE(layout) << layout.error();
        EXPECT_EQ(layout->rows, 3U);
        EXPECT_EQ(layout->dimensions, 5U);
        EXPECT_EQ(layout->data_offset, plain.size() + (version == 1 ? 10 : 12));
    }
    EXPECT_TRUE(folder::read_npy_layout(npy("{\"shape\":(3,5),\"fortran_order\":False,\"descr\":\"<f4\"}")));
}

TEST(NpyHeader, AllElseIsRefused) {
    for (const char* header : {
             "",
             "{",
             "{}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), } x",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), 'more': 1}",
             "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)}",
             "{'descr': '<f4', 'shape': (3, 5)}",
             "{'descr': '<f4', 'fortran_order': False}",
             "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 5)}",
             "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 5)}",
             "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 5)}",
             "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 5)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5, 7)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 5)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 18446744073709551615)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 5)}",
         }) {
        const auto layout = folder::read_npy_layout(npy(header));
        ASSERT_FALSE(layout) << header;
        EXPECT_EQ(layout.error().kind, errc::bad_input) << header;
    }
    const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)}");
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(folder::read_npy_layout(good.substr(0, size))) << size;
    }
    std::string version = good;
    version[6] = 4;
    EXPECT_FALSE(folder::read_npy_layout(version));
}

attest::attest_identity identity() {
    attest::attest_identity made;
    made.service = "https://service.test";
    made.model = "m";
    return made;
}

attest::row_claim claim(std::uint64_t first, std::uint64_t end, char letter = 'a') {
    attest::row_claim made;
    made.first = first;
    made.end = end;
    made.commitment = std::string(64, letter);
    made.inputs_root = std::string(64, 'b');
    return made;
}

attest::claim_record record(const attest::row_claim& of, attest::claim_outcome outcome) {
    attest::claim_record made;
    made.claim = of;
    made.outcome = outcome;
    made.job_id = "job_1";
    made.reason = "why\nnot";
    made.receipt = R"({"receipt_id":"r"})";
    return made;
}

TEST(AttestRecord, LinesAreReadBack) {
    for (const auto outcome :
         {attest::claim_outcome::attested, attest::claim_outcome::rejected, attest::claim_outcome::unverified,
          attest::claim_outcome::timed_out, attest::claim_outcome::unknown, attest::claim_outcome::refused}) {
        const std::string line = attest::line_of(record(claim(3, 5), outcome));
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const auto read = attest::record_of(line);
        ASSERT_TRUE(read) << line;
        EXPECT_EQ(read->outcome, outcome);
        EXPECT_EQ(read->claim.first, 3U);
        EXPECT_EQ(read->claim.end, 5U);
        EXPECT_EQ(read->claim.commitment, claim(3, 5).commitment);
        EXPECT_EQ(read->reason, "why\nnot");
    }
    for (const char* line : {"", "{}", "[]", R"({"rows":[5,3]})", R"({"rows":[1,2],"commitment":"x"})"}) {
        EXPECT_FALSE(attest::record_of(line)) << line;
    }
}

// Receipts that are read all the same, so that what was paid for is not asked for again.
TEST(AttestRecord, LinesWithOddReceiptsAreReadBack) {
    const std::string deep = R"({"receipt_id":"r","a":)" + std::string(200, '[') + std::string(200, ']') + "}";
    for (const std::string& receipt :
         {std::string(R"({"receipt_id":"r","note":"cut \ud83d"})"), std::string(R"({"note":"\udc00\ud83d"})"), deep}) {
        attest::claim_record odd = record(claim(3, 5), attest::claim_outcome::attested);
        odd.receipt = receipt;
        const auto read = attest::record_of(attest::line_of(odd));
        ASSERT_TRUE(read) << receipt;
        EXPECT_EQ(read->reason, "why\nnot");
    }
    // As an earlier version wrote it, and not where a string only says so.
    attest::claim_record plain = record(claim(3, 5), attest::claim_outcome::attested);
    std::string line = attest::line_of(plain);
    line.insert(line.find("{\"receipt_id\":\"r\"}"), "\xef\xbb\xbf");
    ASSERT_TRUE(attest::record_of(line)) << line;
    EXPECT_TRUE(attest::outcome_object(line)->at("receipt").is_object());
    plain.reason = ",\"receipt\":\xef\xbb\xbf";
    EXPECT_EQ(attest::record_of(attest::line_of(plain))->reason, plain.reason);
    EXPECT_FALSE(attest::record_of(line.substr(1)));
}

TEST(AttestReport, BlankLinesAreNoRefusal) {
    attest::unfit_row blank;
    blank.why = "the line is blank";
    blank.blank = true;
    attest_report report;
    report.add(blank);
    EXPECT_EQ(report.rows_blank, 1U);
    EXPECT_EQ(report.rows_refused, 0U);
    EXPECT_EQ(report.rows_settled(), 1U);
    EXPECT_TRUE(report.unfit.empty());
    EXPECT_EQ(exit_code_of(report), exit_code::done);
    blank.blank = false;
    report.add(blank);
    EXPECT_EQ(exit_code_of(report), exit_code::rows_failed);
}

TEST(AttestRecord, LaterOutcomesTakeThePlaceOfEarlierOnesButForAttestedRows) {
    attest::claim_history history;
    EXPECT_TRUE(history.add(record(claim(0, 10), attest::claim_outcome::timed_out)));
    EXPECT_TRUE(history.add(record(claim(10, 20), attest::claim_outcome::attested)));
    EXPECT_TRUE(history.add(record(claim(0, 5), attest::claim_outcome::attested)));
    EXPECT_TRUE(history.add(record(claim(5, 10), attest::claim_outcome::rejected)));
    EXPECT_EQ(history.at(0)->claim.end, 5U);
    EXPECT_EQ(history.at(5)->outcome, attest::claim_outcome::rejected);
    EXPECT_EQ(history.at(3), nullptr);
    EXPECT_EQ(history.next_after(5), 10U);
    EXPECT_EQ(history.next_after(10), std::nullopt);
    EXPECT_FALSE(history.add(record(claim(3, 7), attest::claim_outcome::attested)));
    EXPECT_FALSE(history.add(record(claim(10, 20), attest::claim_outcome::unknown)));
    EXPECT_TRUE(history.add(record(claim(5, 10), attest::claim_outcome::attested)));
}

// Each way of ending, between any two of the durable steps of one request.
TEST(AttestRecord, WhatWasSentAndHasNoOutcomeIsUnknown) {
    const scratch_folder folder;
    const std::string path = folder.file("r.jsonl");
    const auto reopened = [&path] {
        attest::claim_history history;
        const auto file = attest::attest_record_file::open(path, identity(), history);
        EXPECT_TRUE(file) << file.error();
        return history;
    };
    {
        attest::claim_history history;
        auto file = attest::attest_record_file::open(path, identity(), history).value();
        const auto first = file.begin(claim(0, 10)).value();
        const auto second = file.begin(claim(10, 20)).value();
        const auto third = file.begin(claim(20, 30)).value();
        ASSERT_TRUE(file.begin(claim(30, 40)));
        ASSERT_TRUE(file.finish(first, record(claim(0, 10), attest::claim_outcome::attested)));
        ASSERT_TRUE(file.withdraw(second));
        ASSERT_TRUE(file.finish(third, record(claim(20, 30), attest::claim_outcome::timed_out)));
        attest::claim_history other;
        EXPECT_EQ(attest::attest_record_file::open(path, identity(), other).error().kind, errc::folder_mismatch)
            << "in use";
    }
    const attest::claim_history after = reopened();
    EXPECT_EQ(after.at(0)->outcome, attest::claim_outcome::attested);
    EXPECT_EQ(after.at(10), nullptr);
    EXPECT_EQ(after.at(20)->outcome, attest::claim_outcome::timed_out);
    EXPECT_EQ(after.at(30)->outcome, attest::claim_outcome::unknown);
    EXPECT_EQ(folder.read("r.jsonl.sent"), "");
    {
        // Asked for again, and again without an outcome: what came of it before is no answer to this.
        attest::claim_history history;
        auto file = attest::attest_record_file::open(path, identity(), history).value();
        ASSERT_TRUE(file.begin(claim(20, 30)));
    }
    EXPECT_EQ(reopened().at(20)->outcome, attest::claim_outcome::unknown);
    {
        // The outcome is written, the note that it was sent is still there.
        attest::claim_history history;
        auto file = attest::attest_record_file::open(path, identity(), history).value();
        ASSERT_TRUE(file.begin(claim(10, 20)));
        const std::string sent = folder.read("r.jsonl.sent");
        ASSERT_TRUE(file.finish(1, record(claim(10, 20), attest::claim_outcome::rejected)));
        EXPECT_EQ(folder.read("r.jsonl.sent"), "");
        folder.write("r.jsonl.sent", sent);
    }
    EXPECT_EQ(reopened().at(10)->outcome, attest::claim_outcome::rejected);
}

TEST(AttestRecord, ALineThatWasNotWrittenWholeIsDropped) {
    const scratch_folder folder;
    const std::string path = folder.file("r.jsonl");
    {
        attest::claim_history history;
        auto file = attest::attest_record_file::open(path, identity(), history).value();
        const auto number = file.begin(claim(0, 10)).value();
        ASSERT_TRUE(file.finish(number, record(claim(0, 10), attest::claim_outcome::attested)));
    }
    const std::string whole = folder.read("r.jsonl");
    const std::size_t header = whole.find('\n') + 1;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        folder.write("r.jsonl", whole.substr(0, size));
        attest::claim_history history;
        ASSERT_TRUE(attest::attest_record_file::open(path, identity(), history)) << size;
        EXPECT_EQ(history.at(0), nullptr);
        EXPECT_EQ(folder.read("r.jsonl"), whole.substr(0, header));
    }
}

TEST(AttestRecord, AnotherFileIsLeftAlone) {
    const scratch_folder folder;
    for (const std::string content : {"mine", "mine\n", "{\"a\":1}\n", "{\"vembed_attest\":2}\n", "{\n"}) {
        const std::string path = folder.write("r.jsonl", content);
        attest::claim_history history;
        EXPECT_EQ(attest::attest_record_file::open(path, identity(), history).error().kind, errc::bad_input) << content;
        EXPECT_EQ(folder.read("r.jsonl"), content);
    }
    std::filesystem::remove(folder.file("r.jsonl"));
    attest::claim_history history;
    ASSERT_TRUE(attest::attest_record_file::open(folder.file("r.jsonl"), identity(), history));
    attest::attest_identity other = identity();
    other.model = "n";
    EXPECT_EQ(attest::attest_record_file::open(folder.file("r.jsonl"), other, history).error().kind,
              errc::folder_mismatch);
}

TEST(AttestReport, FailuresHaveTheirReaction) {
    const auto with_status = [](errc kind, int status) {
        error f(kind, "");
        f.http_status = status;
        return f;
    };
    const struct {
        error f;
        claim_reaction reaction;
        attest::claim_outcome outcome;
    } cases[] = {
        {with_status(errc::verification_failed, 422), claim_reaction::record, attest::claim_outcome::rejected},
        {with_status(errc::verification_failed, 0), claim_reaction::record, attest::claim_outcome::unverified},
        {with_status(errc::verification_timeout, 504), claim_reaction::record, attest::claim_outcome::timed_out},
        {with_status(errc::outcome_unknown, 0), claim_reaction::record, attest::claim_outcome::unknown},
        {with_status(errc::request_too_large, 413), claim_reaction::halve, attest::claim_outcome::refused},
        {with_status(errc::invalid_request, 400), claim_reaction::halve, attest::claim_outcome::refused},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(react_to_claim(c.f), c.reaction) << c.f;
        EXPECT_EQ(outcome_of(c.f), c.outcome) << c.f;
    }
    for (const errc kind : {errc::unauthorized, errc::quota_exceeded, errc::network, errc::cancelled, errc::api,
                            errc::unknown_model, errc::trial_expired, errc::io, errc::timeout}) {
        EXPECT_EQ(react_to_claim(error(kind, "")), claim_reaction::stop) << to_string(kind);
    }
}

TEST(AttestReport, TheWorstDecidesTheStatus) {
    attest_report report;
    EXPECT_EQ(exit_code_of(report), exit_code::done);
    report.rows_refused = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::rows_failed);
    report.rows_timed_out = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::unfinished);
    report.rows_rejected = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::verification_failed);
    report.ended_by = error(errc::quota_exceeded, "");
    EXPECT_EQ(exit_code_of(report), exit_code::verification_failed);
    report.ended_by = error(errc::unauthorized, "");
    EXPECT_EQ(exit_code_of(report), exit_code::unauthorized);
    report = attest_report();
    report.stopped = true;
    EXPECT_EQ(exit_code_of(report), exit_code::unfinished);
}

}  // namespace
}  // namespace vembed::cli
