// npy_sink: the bytes it leaves, and that they are the same however often the process died on the way.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include <vembed/folder/npy_sink.hpp>

#include "folder/npy_aids.hpp"
#include "folder/records/npy_file.hpp"
#include "folder/write/npy_writer.hpp"
#include "support/faulty_ops.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using folder::npy_writer;
using testing::describe_rows;
using testing::dims;
using testing::expect_failure;
using testing::expect_ok;
using testing::failure_of;
using testing::faulty_ops;
using testing::owned_batch;
using testing::proof_of;
using testing::remembered;
using testing::row_of;
using testing::rows_of_npy;
using testing::scratch_folder;
using testing::value_of;
using testing::write_folder;

// ---- header

TEST(npy_header, is_what_the_format_says) {
    const auto header = folder::npy_header(folder::npy_shape(117659, 1024));
    const std::string bytes(header.begin(), header.end());
    EXPECT_EQ(bytes.size(), 128u);
    EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
    EXPECT_EQ(bytes.substr(10, 72), "{'descr': '<f4', 'fortran_order': False, 'shape': (117659, 1024), }     ");
    EXPECT_EQ(bytes.back(), '\n');
    EXPECT_EQ(bytes.find_first_not_of(' ', 77), 127u);
}

TEST(npy_header, is_read_back_or_refused) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    for (const folder::npy_shape shape :
         {folder::npy_shape(0, 0), folder::npy_shape(1, 2), folder::npy_shape(most, most)}) {
        const auto header = folder::npy_header(shape);
        EXPECT_EQ(folder::shape_of_npy_header(std::string_view(header.data(), header.size())), shape);
        for (std::size_t i = 0; i < header.size(); ++i) {
            auto changed = header;
            changed[i] = static_cast<char>(changed[i] ^ 0x40);
            EXPECT_EQ(folder::shape_of_npy_header(std::string_view(changed.data(), changed.size())), std::nullopt) << i;
        }
        EXPECT_EQ(folder::shape_of_npy_header(std::string_view(header.data(), 127)), std::nullopt);
    }
}

// ---- one whole run

TEST(npy_sink, leaves_the_files_it_promises) {
    scratch_folder scratch;
    const std::string folder = scratch.file("made/for/it/");
    npy_sink sink(folder);
    for (std::uint64_t i = 0; i < 6; ++i) {
        auto row = row_of(i);
        if (i == 1) {
            row.id.clear();
        }
        expect_ok(sink.declare_row(i, row));
    }
    expect_ok(sink.write_receipt(proof_of("job_b", {3, 4})));
    owned_batch second({3, 4});
    expect_ok(sink.write(second.rows));
    expect_ok(sink.fail(failure_of(2)));
    expect_ok(sink.flush());
    EXPECT_TRUE(scratch.has("made/for/it/embeddings.npy.partial"));
    EXPECT_FALSE(scratch.has("made/for/it/embeddings.npy"));
    expect_ok(sink.write_receipt(proof_of("job_a", {0, 1, 5})));
    owned_batch first({0, 1, 5});
    expect_ok(sink.write(first.rows));
    expect_ok(sink.finish(6, dims));

    EXPECT_FALSE(scratch.has("made/for/it/embeddings.npy.partial"));
    const std::string npy = scratch.read("made/for/it/embeddings.npy");
    ASSERT_EQ(npy.size(), 128 + 6 * dims * sizeof(float));
    EXPECT_EQ(folder::shape_of_npy_header(npy.substr(0, 128)), folder::npy_shape(6, dims));
    const auto values = rows_of_npy(npy);
    for (std::uint64_t row = 0; row < 6; ++row) {
        for (std::uint64_t c = 0; c < dims; ++c) {
            if (row == 2) {
                EXPECT_TRUE(std::isnan(values[row * dims + c]));
            } else {
                EXPECT_EQ(values[row * dims + c], value_of(row, c));
            }
        }
    }
    EXPECT_EQ(scratch.read("made/for/it/ids.jsonl"),
              "{\"row\":0,\"id\":\"id0\"}\n{\"row\":1}\n{\"row\":2,\"id\":\"id2\"}\n{\"row\":3,\"id\":\"id3\"}\n"
              "{\"row\":4,\"id\":\"id4\"}\n{\"row\":5,\"id\":\"id5\"}\n");
    EXPECT_EQ(scratch.read("made/for/it/failed.jsonl"),
              "{\"row\":2,\"id\":\"id2\",\"text\":\"text \\\"2\\\"\",\"origin\":\"corpus.txt:3\","
              "\"error\":\"invalid_request\",\"message\":\"too long\\n\"}\n");
    EXPECT_EQ(scratch.read("made/for/it/receipts.jsonl"),
              "{\"batch\":7,\"job_id\":\"job_b\",\"rows\":[[3,5]],\"output_sha256\":\"00ff\","
              "\"results\":{   \"chunks\": [1.50]  },\"receipt\":{\"a\":\"b\"},\"verification\":null}\n"
              "{\"batch\":7,\"job_id\":\"job_a\",\"rows\":[[0,2],[5,6]],\"output_sha256\":\"00ff\","
              "\"results\":{   \"chunks\": [1.50]  },\"receipt\":{\"a\":\"b\"},\"verification\":null}\n");
}

TEST(npy_sink, numpy_reads_the_result) {
    if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
        GTEST_SKIP() << "/usr/bin/python3 has no numpy (Debian: apt-get install python3-numpy)";
    }
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        for (std::uint64_t i = 0; i < 1000; ++i) {
            expect_ok(sink.declare_row(i, row_of(i)));
        }
        std::vector<std::uint64_t> all(1000);
        for (std::uint64_t i = 0; i < 1000; ++i) {
            all[i] = i;
        }
        owned_batch batch(all, 384);
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.finish(1000, 384));
    }
    const auto script = scratch.write("check.py",
                                      "import sys, numpy\n"
                                      "a = numpy.load(sys.argv[1], mmap_mode='r')\n"
                                      "assert a.shape == (1000, 384), a.shape\n"
                                      "assert a.dtype == numpy.float32, a.dtype\n"
                                      "assert a.flags['C_CONTIGUOUS']\n"
                                      "assert a[999, 8] == 1000 and a[0, 0] == 0 and a[5, 4] == 5.5\n");
    EXPECT_EQ(std::system(("/usr/bin/python3 " + script + " " + scratch.file("embeddings.npy")).c_str()), 0);
}

TEST(npy_sink, no_rows_and_only_failed_rows_make_an_empty_matrix) {
    scratch_folder scratch;
    npy_sink none(scratch.file("none"));
    expect_ok(none.finish(0, 0));
    EXPECT_EQ(folder::shape_of_npy_header(scratch.read("none/embeddings.npy")), folder::npy_shape(0, 0));

    npy_sink failed(scratch.file("failed"));
    expect_ok(failed.declare_row(0, row_of(0)));
    expect_ok(failed.fail(failure_of(0)));
    expect_ok(failed.finish(1, 0));
    EXPECT_EQ(folder::shape_of_npy_header(scratch.read("failed/embeddings.npy")), folder::npy_shape(1, 0));
}

TEST(npy_sink, consecutive_rows_are_one_write) {
    scratch_folder scratch;
    faulty_ops ops;
    npy_writer sink(scratch.path(), ops);
    for (std::uint64_t i = 0; i < 100; ++i) {
        expect_ok(sink.declare_row(i, row_of(i)));
    }
    owned_batch head({0});
    expect_ok(sink.write(head.rows));
    const auto before = ops.writes;
    owned_batch batch({1, 2, 3, 4, 10, 11, 50});
    expect_ok(sink.write(batch.rows));
    // In rows.sha256 a run is written when the next one does not follow it.
    EXPECT_EQ(ops.writes - before, 3u + 2u);
}

// ---- rules

TEST(npy_sink, calls_that_break_the_rules_are_refused) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(0, row_of(0)));
    expect_failure(sink.declare_row(2, row_of(2)), errc::invalid_argument, "row 2 was declared, but row 1 was next");
    expect_failure(sink.declare_row(0, row_of(0)), errc::invalid_argument, "row 0");
    expect_ok(sink.declare_row(1, row_of(1)));
    owned_batch early({2});
    expect_failure(sink.write(early.rows), errc::invalid_argument, "before it was declared");
    owned_batch disorder({1, 0});
    expect_failure(sink.write(disorder.rows), errc::invalid_argument, "not ascending");
    owned_batch twice({1, 1});
    expect_failure(sink.write(twice.rows), errc::invalid_argument, "not ascending");
    owned_batch cut({0, 1});
    cut.rows.values = std::span(cut.values).first(5);
    expect_failure(sink.write(cut.rows), errc::invalid_argument, "5 values");
    cut.rows.dimensions = 0;
    expect_failure(sink.write(cut.rows), errc::invalid_argument, "values");
    owned_batch good({0});
    expect_ok(sink.write(good.rows));
    owned_batch other({1}, dims + 1);
    expect_failure(sink.write(other.rows), errc::invalid_argument, "4 dimensions");
    expect_failure(sink.finish(2, dims), errc::folder_mismatch, "missing");
    expect_failure(sink.finish(3, dims), errc::invalid_argument, "3 rows of which 2");
    expect_failure(sink.finish(1, dims), errc::folder_mismatch, "2 rows");
    row_batch empty;
    expect_ok(sink.write(empty));
}

TEST(npy_sink, a_folder_is_used_by_one_sink_at_a_time) {
    scratch_folder scratch;
    {
        npy_sink first(scratch.path());
        expect_ok(first.declare_row(0, row_of(0)));
        npy_sink second(scratch.path());
        expect_failure(second.declare_row(0, row_of(0)), errc::folder_mismatch, "another process is using");
    }
    npy_sink third(scratch.path());
    expect_ok(third.declare_row(0, row_of(0)));
}

TEST(npy_sink, a_finished_folder_takes_nothing_new_but_may_finish_again) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        expect_ok(sink.declare_row(0, row_of(0)));
        owned_batch batch({0});
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.finish(1, dims));
        expect_ok(sink.finish(1, dims));
    }
    const std::string npy = scratch.read("embeddings.npy");
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(0, row_of(0)));
    expect_ok(sink.finish(1, 0));
    // What it holds already is no news.
    owned_batch same({0});
    expect_ok(sink.write(same.rows));
    owned_batch batch({0});
    batch.values.back() += 1;
    expect_failure(sink.write(batch.rows), errc::folder_mismatch, "complete already");
    owned_batch wider({0}, dims + 1);
    expect_failure(sink.write(wider.rows), errc::folder_mismatch, "complete already");
    expect_failure(sink.declare_row(1, row_of(1)), errc::folder_mismatch, "complete already");
    expect_failure(sink.fail(failure_of(0)), errc::folder_mismatch, "complete already");
    expect_failure(sink.write_receipt(proof_of("j", {0})), errc::folder_mismatch, "complete already");
    EXPECT_EQ(scratch.read("embeddings.npy"), npy);
}

TEST(npy_sink, another_corpus_or_model_is_noticed) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        expect_ok(sink.declare_row(0, row_of(0)));
        expect_ok(sink.declare_row(1, row_of(1)));
        owned_batch batch({0});
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.flush());
    }
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(0, row_of(0)));
    auto other = row_of(1);
    other.id = "other";
    expect_failure(sink.declare_row(1, other), errc::folder_mismatch, "belongs to another corpus");
    owned_batch wider({1}, dims + 1);
    expect_failure(sink.write(wider.rows), errc::folder_mismatch, "another model");
}

TEST(npy_sink, files_of_other_programs_are_left_alone) {
    scratch_folder scratch;
    scratch.write("embeddings.npy", "precious");
    npy_sink sink(scratch.path());
    expect_failure(sink.declare_row(0, row_of(0)), errc::folder_mismatch, "embeddings.npy");
    EXPECT_EQ(scratch.read("embeddings.npy"), "precious");
}

TEST(npy_sink, a_lost_partial_file_is_noticed) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        expect_ok(sink.declare_row(0, row_of(0)));
        expect_ok(sink.declare_row(1, row_of(1)));
        owned_batch batch({0});
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.flush());
    }
    std::filesystem::remove(scratch.file("embeddings.npy.partial"));
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(0, row_of(0)));
    expect_ok(sink.declare_row(1, row_of(1)));
    owned_batch rest({1});
    expect_ok(sink.write(rest.rows));
    expect_failure(sink.finish(2, dims), errc::folder_mismatch, "rows of an earlier run are missing");
}

// ---- copies

void expect_copies(const scratch_folder& scratch, std::initializer_list<std::uint64_t> origins) {
    const auto values = rows_of_npy(scratch.read("embeddings.npy"));
    ASSERT_EQ(values.size(), origins.size() * dims);
    std::size_t row = 0;
    for (const std::uint64_t origin : origins) {
        EXPECT_EQ(values[row * dims], value_of(origin, 0)) << "row " << row;
        EXPECT_EQ(values[row * dims + dims - 1], value_of(origin, dims - 1)) << "row " << row;
        ++row;
    }
}

TEST(npy_sink, copies_rows_to_both_sides_and_beyond_the_end) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    EXPECT_TRUE(sink.can_copy());
    describe_rows(sink, 4);
    owned_batch batch({1});
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.copy(1, 3));
    expect_ok(sink.copy(1, 3));
    expect_ok(sink.copy(1, 0));
    expect_failure(sink.finish(4, dims), errc::folder_mismatch, "missing");
    expect_ok(sink.copy(3, 2));
    expect_ok(sink.finish(4, dims));
    expect_copies(scratch, {1, 1, 1, 1});
    // Once finished, what is there already may be asked for again.
    expect_ok(sink.copy(1, 3));
    owned_batch again({1});
    expect_ok(sink.write(again.rows));
}

TEST(npy_sink, copies_rows_that_an_earlier_process_wrote) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        describe_rows(sink, 3);
        owned_batch batch({0});
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.copy(0, 2));
        expect_ok(sink.flush());
    }
    npy_sink sink(scratch.path());
    describe_rows(sink, 3);
    expect_ok(sink.copy(0, 2));
    expect_ok(sink.copy(0, 1));
    owned_batch again({0});
    expect_ok(sink.write(again.rows));
    expect_ok(sink.finish(3, dims));
    expect_copies(scratch, {0, 0, 0});
}

TEST(npy_sink, copies_that_cannot_be_true_are_refused) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        describe_rows(sink, 4);
        owned_batch batch({0});
        expect_failure(sink.copy(0, 1), errc::invalid_argument, "row 0 was to be copied to row 1");
        expect_ok(sink.write(batch.rows));
        expect_failure(sink.copy(0, 4), errc::invalid_argument, "declared");
        expect_failure(sink.copy(4, 0), errc::invalid_argument, "declared");
        expect_failure(sink.copy(0, 0), errc::invalid_argument, "the same row");
        expect_failure(sink.copy(1, 2), errc::invalid_argument, "not written");
        expect_ok(sink.fail(failure_of(3)));
        expect_failure(sink.copy(3, 2), errc::invalid_argument, "not written");
        expect_ok(sink.flush());
    }
    npy_sink sink(scratch.path());
    describe_rows(sink, 4);
    expect_failure(sink.copy(2, 1), errc::folder_mismatch, "ends before row 2");
    expect_failure(sink.copy(3, 2), errc::invalid_argument, "not written");
    owned_batch rest({1, 2});
    expect_ok(sink.write(rest.rows));
    expect_ok(sink.finish(4, dims));
    expect_failure(sink.copy(0, 1), errc::folder_mismatch, "complete already");
    expect_failure(sink.copy(3, 1), errc::invalid_argument, "not written");
}

TEST(npy_sink, a_failed_row_that_is_copied_to_later_is_not_nan) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        describe_rows(sink, 3);
        expect_ok(sink.fail(failure_of(1)));
        expect_ok(sink.fail(failure_of(2)));
        expect_ok(sink.flush());
    }
    npy_sink sink(scratch.path());
    describe_rows(sink, 3);
    owned_batch batch({0});
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.copy(0, 1));
    expect_ok(sink.flush());
    expect_ok(sink.fail(failure_of(2)));
    expect_ok(sink.finish(3, dims));
    const auto values = rows_of_npy(scratch.read("embeddings.npy"));
    EXPECT_EQ(values[dims], value_of(0, 0));
    EXPECT_TRUE(std::isnan(values[2 * dims]));
    EXPECT_EQ(scratch.read("failed.jsonl").find("{\"row\":2,"), 0u);
}

TEST(npy_sink, failed_rows_of_another_corpus_are_noticed_before_memory_is_taken) {
    scratch_folder scratch;
    scratch.write("failed.jsonl", "{\"row\":18446744073709551615}\n");
    npy_sink sink(scratch.path());
    expect_failure(sink.declare_row(0, row_of(0)), errc::folder_mismatch, "row 18446744073709551615");
}

// ---- repair

struct torn_case {
    const char* name;
    std::string file;
    std::string tail;
};

TEST(npy_sink, torn_ends_are_cut_off) {
    const std::vector<torn_case> cases{{"half_id", "ids.jsonl", "{\"row\":2,\"id"},
                                       {"id_without_line_feed", "ids.jsonl", "{\"row\":2,\"id\":\"id2\"}"},
                                       {"id_of_another_row", "ids.jsonl", "{\"row\":9}\n"},
                                       {"zeros", "ids.jsonl", std::string(5000, '\0') + "\n"},
                                       {"half_receipt", "receipts.jsonl", "{\"batch\":8,\"job_id\":\"x\",\"rows\":[["},
                                       {"receipt_without_job", "receipts.jsonl", "{\"batch\":8}\n"},
                                       {"receipt_zeros", "receipts.jsonl", std::string(100, '\0')},
                                       {"half_failed", "failed.jsonl", "{\"row\":3,\"id\":\"i"},
                                       {"failed_zeros", "failed.jsonl", std::string(100, '\0') + "\n"}};
    for (const auto& torn : cases) {
        SCOPED_TRACE(torn.name);
        scratch_folder scratch;
        std::string ids;
        const auto run = [&](bool finish) {
            npy_sink sink(scratch.path());
            for (std::uint64_t i = 0; i < (finish ? 4u : 2u); ++i) {
                expect_ok(sink.declare_row(i, row_of(i)));
            }
            expect_ok(sink.write_receipt(proof_of("job_a", {0})));
            owned_batch batch({0});
            expect_ok(sink.write(batch.rows));
            expect_ok(sink.fail(failure_of(1)));
            expect_ok(sink.flush());
            if (finish) {
                owned_batch rest({2, 3});
                expect_ok(sink.write(rest.rows));
                expect_ok(sink.finish(4, dims));
            }
        };
        run(false);
        const std::string whole = scratch.read(torn.file);
        scratch.write(torn.file, whole + torn.tail);
        run(true);
        EXPECT_EQ(scratch.read("ids.jsonl"),
                  "{\"row\":0,\"id\":\"id0\"}\n{\"row\":1,\"id\":\"id1\"}\n{\"row\":2,\"id\":\"id2\"}\n"
                  "{\"row\":3,\"id\":\"id3\"}\n");
        if (torn.file != "ids.jsonl") {
            EXPECT_EQ(scratch.read(torn.file), whole);
        }
        const auto values = rows_of_npy(scratch.read("embeddings.npy"));
        EXPECT_TRUE(std::isnan(values[dims]));
        EXPECT_EQ(values[3 * dims], 3.0f);
    }
}

TEST(npy_sink, bytes_beyond_the_last_row_are_cut_off) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(0, row_of(0)));
    owned_batch batch({0});
    expect_ok(sink.write(batch.rows));
    scratch.write("embeddings.npy.partial", scratch.read("embeddings.npy.partial") + "more");
    expect_ok(sink.finish(1, dims));
    EXPECT_EQ(scratch.read("embeddings.npy").size(), 128 + dims * sizeof(float));
}

TEST(npy_sink, a_key_that_the_service_quotes_is_kept_out_of_the_files) {
    scratch_folder scratch;
    const std::string key = "cyb_trial_0f00112233445566778899aabbccddeeff";
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(0, row_of(0)));
    auto failed = failure_of(0);
    failed.reason.message = "no access for " + key + ".";
    failed.reason.job_id = key;
    expect_ok(sink.fail(failed));
    auto proof = proof_of("job", {1});
    proof.results_json = "{\"said\":\"" + key + "\"}";
    proof.receipt_json = R"({"a":"key \")" + key + R"(\"","b":"cyb_trial_0f"})";
    proof.verification_json = proof.results_json;
    expect_ok(sink.write_receipt(proof));
    expect_ok(sink.flush());
    const std::string receipts = scratch.read("receipts.jsonl");
    EXPECT_EQ((scratch.read("failed.jsonl") + receipts).find(key), std::string::npos);
    EXPECT_NE(receipts.find(R"("receipt":{"a":"key \"cyb_…\"","b":"cyb_trial_0f"})"), std::string::npos) << receipts;
}

TEST(npy_sink, a_failed_row_that_succeeds_later_is_not_nan) {
    scratch_folder scratch;
    const auto describe = [](npy_sink& sink) {
        for (std::uint64_t i = 0; i < 3; ++i) {
            expect_ok(sink.declare_row(i, row_of(i)));
        }
    };
    {
        npy_sink sink(scratch.path());
        describe(sink);
        expect_ok(sink.fail(failure_of(0)));
        expect_ok(sink.fail(failure_of(2)));
        expect_ok(sink.fail(failure_of(2)));
        expect_ok(sink.flush());
    }
    {
        npy_sink sink(scratch.path());
        describe(sink);
        owned_batch batch({0, 1});
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.flush());
        EXPECT_EQ(scratch.read("failed.jsonl").find("{\"row\":2"), 0u);
    }
    npy_sink sink(scratch.path());
    describe(sink);
    expect_ok(sink.finish(3, 0));
    const auto values = rows_of_npy(scratch.read("embeddings.npy"));
    EXPECT_EQ(values[1], value_of(0, 1));
    EXPECT_TRUE(std::isnan(values[2 * dims]));
}

// ---- failing system calls

TEST(npy_sink, short_and_interrupted_writes_are_continued) {
    scratch_folder scratch;
    faulty_ops ops;
    ops.write_most = 7;
    ops.interrupt_writes = true;
    npy_writer sink(scratch.path(), ops);
    for (std::uint64_t i = 0; i < 20; ++i) {
        expect_ok(sink.declare_row(i, row_of(i)));
    }
    std::vector<std::uint64_t> all(20);
    for (std::uint64_t i = 0; i < 20; ++i) {
        all[i] = i;
    }
    owned_batch batch(all);
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.finish(20, dims));
    EXPECT_EQ(rows_of_npy(scratch.read("embeddings.npy")), batch.values);
}

TEST(npy_sink, a_full_disk_says_what_to_do_and_loses_nothing) {
    for (const std::uint64_t space : {0u, 20u, 128u, 130u, 150u, 200u}) {
        SCOPED_TRACE(space);
        scratch_folder scratch;
        faulty_ops ops;
        ops.space = space;
        npy_writer sink(scratch.path(), ops);
        expect_ok(sink.declare_row(0, row_of(0)));
        owned_batch batch({0});
        auto written = sink.write(batch.rows);
        result<void> flushed = written ? sink.flush() : written;
        auto failed = flushed ? sink.fail(failure_of(0)) : flushed;
        expect_failure(failed, errc::io, "free some space and run the same command again");
        // Space is made while the process still runs.
        ops.space = faulty_ops::never;
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.flush());
        expect_ok(sink.finish(1, dims));
        EXPECT_EQ(scratch.read("ids.jsonl"), "{\"row\":0,\"id\":\"id0\"}\n");
    }
}

TEST(npy_sink, failing_sync_and_rename_are_told) {
    scratch_folder scratch;
    faulty_ops ops;
    npy_writer sink(scratch.path(), ops);
    expect_ok(sink.declare_row(0, row_of(0)));
    owned_batch batch({0});
    expect_ok(sink.write(batch.rows));
    ops.refuse_sync = true;
    expect_failure(sink.flush(), errc::io, "check the disk");
    expect_failure(sink.flush(), errc::io, "check the disk");
    ops.refuse_sync = false;
    expect_ok(sink.flush());
    const auto syncs = ops.syncs;
    expect_ok(sink.flush());
    EXPECT_EQ(ops.syncs, syncs) << "nothing is dirty";
    ops.refuse_rename = true;
    expect_failure(sink.finish(1, dims), errc::io, "embeddings.npy.partial");
    EXPECT_FALSE(scratch.has("embeddings.npy"));
    ops.refuse_rename = false;
    expect_ok(sink.finish(1, dims));
    EXPECT_TRUE(scratch.has("embeddings.npy"));
}

// ---- death at every call

TEST(npy_sink, a_process_that_dies_at_any_call_leaves_the_same_bytes_in_the_end) {
    const std::vector<std::string> files{"embeddings.npy", "rows.sha256",    "texts.sha256",
                                         "ids.jsonl",      "receipts.jsonl", "failed.jsonl"};
    scratch_folder clean;
    {
        faulty_ops ops;
        npy_writer sink(clean.path(), ops);
        remembered memory;
        expect_ok(write_folder(sink, memory));
    }
    std::uint64_t deaths = 0;
    for (std::uint64_t first = 0;; ++first) {
        // A second death close to the first, at its own distance.
        scratch_folder scratch;
        remembered memory;
        bool died = false;
        for (const std::uint64_t at : {first, first / 2}) {
            faulty_ops ops;
            ops.die_at = at;
            npy_writer sink(scratch.path(), ops);
            died = !write_folder(sink, memory) || died;
        }
        npy_writer last(scratch.path(), storage::system_file_ops());
        expect_ok(write_folder(last, memory));
        for (const auto& file : files) {
            ASSERT_EQ(scratch.read(file), clean.read(file)) << file << " after dying at call " << first;
        }
        EXPECT_FALSE(scratch.has("embeddings.npy.partial"));
        deaths += died ? 1 : 0;
        if (!died) {
            break;
        }
    }
    EXPECT_GT(deaths, 30u);
}

}  // namespace
}  // namespace vembed
