// npy_sink: rows that were written and are not known for those of their texts go, with their copies and their receipt,
// also where the process dies on the way.

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include <vembed/folder/npy_sink.hpp>

#include "folder/npy_aids.hpp"
#include "folder/write/npy_writer.hpp"
#include "folder/write/output_lines.hpp"
#include "support/faulty_ops.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using folder::npy_writer;
using testing::dims;
using testing::expect_failure;
using testing::expect_ok;
using testing::faulty_ops;
using testing::owned_batch;
using testing::proof_of;
using testing::row_of;
using testing::rows_of_npy;
using testing::scratch_folder;
using testing::value_of;

using rows = std::vector<std::uint64_t>;

template <class Sink>
void describe_all(Sink& sink) {
    for (std::uint64_t i = 0; i < 9; ++i) {
        expect_ok(sink.declare_row(i, row_of(i)));
    }
}

template <class Sink>
void buy(Sink& sink, const std::string& job, const rows& of) {
    expect_ok(sink.write_receipt(proof_of(job, of)));
    owned_batch batch(of);
    expect_ok(sink.write(batch.rows));
}

// Of what stands in the file so far.
bool is_blank(const scratch_folder& scratch, std::uint64_t row) {
    const std::vector<float> values = rows_of_npy(scratch.read("embeddings.npy.partial"));
    return values.size() >= (row + 1) * dims && std::isnan(values[row * dims]) && std::isnan(values[row * dims + 2]);
}

std::string hash_of(const scratch_folder& scratch, std::uint64_t row) {
    return scratch.read("rows.sha256").substr(row * 32, 32);
}

template <class Sink>
void write_two_jobs(Sink& sink) {
    describe_all(sink);
    buy(sink, "job \"a\"", {0, 1, 4});
    buy(sink, "job_b", {2, 3});
    expect_ok(sink.copy(1, 5));
    expect_ok(sink.copy(2, 6));
    expect_ok(sink.copy(4, 7));
}

TEST(npy_withdrawal, rows_copies_and_receipt_go) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    write_two_jobs(sink);
    EXPECT_EQ(sink.withdraw(rows{0, 1, 4}).value(), 2u);
    for (const std::uint64_t row : {0, 1, 4, 5, 7}) {
        EXPECT_TRUE(is_blank(scratch, row)) << row;
        EXPECT_EQ(hash_of(scratch, row), hash_of(scratch, 0)) << row;
    }
    EXPECT_FALSE(is_blank(scratch, 2));
    EXPECT_FALSE(is_blank(scratch, 6));
    EXPECT_EQ(scratch.read("duplicates.jsonl"), "{\"row\":6,\"same_as\":2}\n");
    EXPECT_EQ(scratch.read("receipts.jsonl").find("job \\\"a"), std::string::npos);
    EXPECT_NE(scratch.read("receipts.jsonl").find("job_b"), std::string::npos);

    EXPECT_EQ(sink.withdraw(rows{0, 1, 4}).value(), 0u) << "a second time";
    EXPECT_EQ(sink.withdraw(rows{8}).value(), 0u) << "never written";
    expect_failure(sink.finish(9, dims), errc::folder_mismatch, "missing");

    buy(sink, "job_c", {0, 1, 4, 8});
    expect_ok(sink.copy(1, 5));
    expect_ok(sink.copy(4, 7));
    expect_ok(sink.finish(9, dims));
    const auto values = rows_of_npy(scratch.read("embeddings.npy"));
    const std::vector<std::uint64_t> originals{0, 1, 2, 3, 4, 1, 2, 4, 8};
    for (std::uint64_t row = 0; row < 9; ++row) {
        EXPECT_EQ(values[row * dims + 1], value_of(originals[row], 1)) << row;
    }
    expect_failure(sink.withdraw(rows{2, 3}), errc::folder_mismatch, "complete");
}

TEST(npy_withdrawal, the_same_job_may_bring_rows_later) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    write_two_jobs(sink);
    EXPECT_TRUE(sink.withdraw(rows{2, 3}));
    EXPECT_TRUE(is_blank(scratch, 3));
    buy(sink, "job_b", {2, 3});
    expect_ok(sink.flush());
    EXPECT_NE(scratch.read("receipts.jsonl").find("job_b"), std::string::npos);
    EXPECT_FALSE(is_blank(scratch, 3));
}

// A job came to nothing after its receipt was told; its rows were cut and bought anew.
TEST(npy_withdrawal, rows_that_another_job_brought_stay) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    describe_all(sink);
    expect_ok(sink.write_receipt(proof_of("job_a", {0, 1, 2, 3})));
    buy(sink, "job_b", {0, 1});
    EXPECT_TRUE(sink.withdraw(rows{2, 3}));  // In doubt: sent and never answered.
    expect_ok(sink.flush());
    EXPECT_FALSE(is_blank(scratch, 0));
    EXPECT_FALSE(is_blank(scratch, 1));
    EXPECT_NE(scratch.read("receipts.jsonl").find("job_b"), std::string::npos);
}

TEST(npy_withdrawal, digests_are_those_of_the_texts_described) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        EXPECT_TRUE(sink.keeps_digests());
        EXPECT_FALSE(sink.digests_of(rows{0}).value());
        describe_all(sink);
        const auto found = sink.digests_of(rows{4, 2}).value();
        ASSERT_TRUE(found && found->size() == 2);
        EXPECT_EQ((*found)[0].text, input_digests(row_of(4).text).text);
        EXPECT_EQ((*found)[1].prefixed, input_digests(row_of(2).text).prefixed);
        EXPECT_FALSE(sink.digests_of(rows{4, 9}).value());
        expect_ok(sink.flush());
    }
    npy_sink later(scratch.path());
    const auto found = later.digests_of(rows{8}).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->front().text, input_digests(row_of(8).text).text);
}

// Whoever goes on withdraws the rows again, since its journal has them in doubt.
TEST(npy_withdrawal, may_die_anywhere) {
    bool survived = false;
    for (std::uint64_t calls = 0; !survived; ++calls) {
        SCOPED_TRACE("death after " + std::to_string(calls) + " calls");
        ASSERT_LT(calls, 200u);
        scratch_folder scratch;
        {
            faulty_ops ops;
            npy_writer sink(scratch.path(), ops);
            write_two_jobs(sink);
            expect_ok(sink.flush());
            ops.die_at = ops.calls + calls;
            survived = sink.withdraw(rows{0, 1, 4}).has_value();
        }
        npy_sink sink(scratch.path());
        expect_ok(sink.withdraw(rows{0, 1, 4, 8}));
        for (const std::uint64_t row : {0, 1, 4}) {
            EXPECT_TRUE(is_blank(scratch, row)) << row;
        }
        EXPECT_EQ(scratch.read("receipts.jsonl").find("job \\\"a"), std::string::npos);
        describe_all(sink);
        buy(sink, "job_c", {0, 1, 4, 8});
        expect_ok(sink.copy(1, 5));
        expect_ok(sink.copy(2, 6));
        expect_ok(sink.copy(4, 7));
        expect_ok(sink.finish(9, dims));
        const auto values = rows_of_npy(scratch.read("embeddings.npy"));
        EXPECT_EQ(values[7 * dims], value_of(4, 0));
        EXPECT_EQ(values[3 * dims], value_of(3, 0));
    }
}

TEST(output_lines, are_read_as_they_are_written) {
    std::string line;
    folder::write_receipt_line(line, proof_of("a\"]]\\b", {0, 1, 5, 7, 8}));
    const auto read = folder::read_receipt_line(line);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->job, R"("a\"]]\\b")");
    EXPECT_EQ(read->rows, (row_ranges{{0, 2}, {5, 6}, {7, 9}}));
    for (const std::string& other :
         {std::string(), std::string("{}"), std::string(R"({"batch":1,"job_id":"a"})"),
          std::string(R"({"batch":1,"job_id":"a","rows":[]})"),
          std::string(R"({"batch":1,"job_id":"a","rows":[[2,1]]})"),
          std::string(R"({"batch":1,"job_id":"a","rows":[[0,1],[)"), std::string(R"({"batch":1,"job_id":"a)")}) {
        EXPECT_FALSE(folder::read_receipt_line(other)) << other;
    }
    folder::write_copy_line(line, 3, 17);
    EXPECT_EQ(folder::original_of_copy_line(line), 3u);
    EXPECT_EQ(folder::leading_number(line, folder::row_prefix), 17u);
    EXPECT_FALSE(folder::original_of_copy_line("{\"row\":1}"));
}

}  // namespace
}  // namespace vembed
