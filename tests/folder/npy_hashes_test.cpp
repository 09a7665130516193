// rows.sha256 and texts.sha256: what they hold, and that they hold it however a run came to its end.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/folder/npy_sink.hpp>
#include <vembed/verify/sha256.hpp>

#include "folder/npy_aids.hpp"
#include "folder/records/record_file.hpp"
#include "folder/write/npy_writer.hpp"
#include "support/faulty_ops.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using folder::npy_writer;
using folder::record_file;
using testing::describe_rows;
using testing::dims;
using testing::expect_failure;
using testing::expect_ok;
using testing::failure_of;
using testing::faulty_ops;
using testing::owned_batch;
using testing::remembered;
using testing::row_of;
using testing::scratch_folder;
using testing::value_of;
using testing::write_folder;

std::string text_of(const digest& value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}

std::string row_hash(std::uint64_t row) {
    const owned_batch values({row});
    return text_of(sha256_of(std::as_bytes(std::span(values.values))));
}

std::string nan_hash(std::uint64_t dimensions) {
    const std::vector<float> nan(dimensions, std::numeric_limits<float>::quiet_NaN());
    return text_of(sha256_of(std::as_bytes(std::span(nan))));
}

std::string text_hashes(const std::string& text) {
    return text_of(sha256_of(text)) + text_of(sha256_of(std::string(1, '\0') + text));
}

std::string texts_of_rows(std::uint64_t rows) {
    std::string all;
    for (std::uint64_t i = 0; i < rows; ++i) {
        all += text_hashes(row_of(i).text);
    }
    return all;
}

/// Two rows of four written, as by a process that died afterwards.
void begin_run(const scratch_folder& scratch) {
    npy_sink sink(scratch.path());
    describe_rows(sink, 4);
    owned_batch batch({0, 2});
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.flush());
}

void end_run(const scratch_folder& scratch) {
    npy_sink sink(scratch.path());
    describe_rows(sink, 4);
    owned_batch batch({1, 3});
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.finish(4, dims));
}

// ---- what they hold

TEST(row_hashes, are_of_texts_and_of_rows_as_handed_in) {
    scratch_folder scratch;
    npy_sink sink(scratch.path());
    source_row empty;
    expect_ok(sink.declare_row(0, row_of(0)));
    expect_ok(sink.declare_row(1, empty));
    for (std::uint64_t i = 2; i < 6; ++i) {
        expect_ok(sink.declare_row(i, row_of(i)));
    }
    owned_batch late({4, 5});
    late.rows.cached = true;
    expect_ok(sink.write(late.rows));
    expect_ok(sink.fail(failure_of(3)));
    owned_batch early({0, 1});
    expect_ok(sink.write(early.rows));
    expect_ok(sink.copy(5, 2));
    expect_ok(sink.finish(6, dims));
    EXPECT_EQ(scratch.read("rows.sha256"),
              row_hash(0) + row_hash(1) + row_hash(5) + nan_hash(dims) + row_hash(4) + row_hash(5));
    EXPECT_EQ(scratch.read("texts.sha256"),
              text_hashes(row_of(0).text) + text_hashes("") + texts_of_rows(6).substr(2 * folder::text_record_bytes));
}

TEST(row_hashes, are_of_the_file_that_is_left) {
    scratch_folder scratch;
    begin_run(scratch);
    end_run(scratch);
    const std::string npy = scratch.read("embeddings.npy");
    const std::string hashes = scratch.read("rows.sha256");
    constexpr std::size_t row_bytes = dims * sizeof(float);
    ASSERT_EQ(hashes.size(), 4 * folder::row_record_bytes);
    for (std::size_t row = 0; row < 4; ++row) {
        const std::string bytes = npy.substr(folder::npy_header_bytes + row * row_bytes, row_bytes);
        EXPECT_EQ(hashes.substr(row * folder::row_record_bytes, folder::row_record_bytes), text_of(sha256_of(bytes)));
    }
}

TEST(row_hashes, of_no_rows_and_of_rows_without_numbers) {
    scratch_folder scratch;
    npy_sink none(scratch.file("none"));
    expect_ok(none.finish(0, 0));
    EXPECT_TRUE(scratch.has("none/rows.sha256"));
    EXPECT_EQ(scratch.read("none/rows.sha256") + scratch.read("none/texts.sha256"), "");

    npy_sink failed(scratch.file("failed"));
    expect_ok(failed.declare_row(0, row_of(0)));
    expect_ok(failed.fail(failure_of(0)));
    expect_ok(failed.finish(1, 0));
    EXPECT_EQ(scratch.read("failed/rows.sha256"), text_of(sha256_of("")));
    EXPECT_EQ(scratch.read("failed/texts.sha256"), texts_of_rows(1));
}

TEST(row_hashes, keep_what_was_handed_in_when_the_disk_changes_it) {
    scratch_folder scratch;
    begin_run(scratch);
    std::string npy = scratch.read("embeddings.npy.partial");
    npy[folder::npy_header_bytes] = static_cast<char>(npy[folder::npy_header_bytes] ^ 1);
    scratch.write("embeddings.npy.partial", npy);
    {
        npy_sink sink(scratch.path());
        describe_rows(sink, 4);
        expect_ok(sink.copy(0, 1));
        owned_batch batch({3});
        expect_ok(sink.write(batch.rows));
        expect_ok(sink.finish(4, dims));
    }
    EXPECT_EQ(scratch.read("rows.sha256"), row_hash(0) + row_hash(0) + row_hash(2) + row_hash(3));
}

TEST(row_hashes, a_failed_row_that_succeeds_later_has_its_own) {
    scratch_folder scratch;
    {
        npy_sink sink(scratch.path());
        describe_rows(sink, 4);
        expect_ok(sink.fail(failure_of(1)));
        expect_ok(sink.fail(failure_of(3)));
        expect_ok(sink.flush());
    }
    npy_sink sink(scratch.path());
    describe_rows(sink, 4);
    owned_batch batch({0, 1, 2});
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.finish(4, dims));
    EXPECT_EQ(scratch.read("rows.sha256"), row_hash(0) + row_hash(1) + row_hash(2) + nan_hash(dims));
}

TEST(row_hashes, many_rows_need_few_writes) {
    scratch_folder scratch;
    faulty_ops ops;
    npy_writer sink(scratch.path(), ops);
    constexpr std::uint64_t rows = 10'000;
    for (std::uint64_t i = 0; i < rows; ++i) {
        expect_ok(sink.declare_row(i, row_of(i)));
    }
    expect_ok(sink.flush());
    const std::uint64_t described = ops.writes;
    EXPECT_LE(described, 20u);  // 640 kB of texts, 260 kB of ids.
    std::vector<std::uint64_t> all(rows);
    for (std::uint64_t i = 0; i < rows; ++i) {
        all[i] = i;
    }
    for (std::size_t begin = 0; begin < rows; begin += 1000) {
        owned_batch batch(std::vector<std::uint64_t>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                                     all.begin() + static_cast<std::ptrdiff_t>(begin + 1000)));
        expect_ok(sink.write(batch.rows));
    }
    EXPECT_LE(ops.writes - described, 10u + 1u + 5u);  // Rows, the header, 320 kB of hashes.
    const std::uint64_t written = ops.writes;
    for (std::uint64_t i = 5001; i < 6000; ++i) {
        expect_ok(sink.copy(5000, i));
    }
    EXPECT_LE(ops.writes - written, 999u + 2u);
    expect_ok(sink.finish(rows, dims));
}

// ---- going on

TEST(row_hashes, another_text_for_a_row_is_refused) {
    scratch_folder scratch;
    begin_run(scratch);
    const std::string texts = scratch.read("texts.sha256");
    {
        npy_sink sink(scratch.path());
        expect_ok(sink.declare_row(0, row_of(0)));
        source_row other = row_of(1);
        other.text += "!";
        expect_failure(sink.declare_row(1, other), errc::folder_mismatch, "another text for row 1");
    }
    EXPECT_EQ(scratch.read("texts.sha256"), texts);
    end_run(scratch);
    // A finished folder says so too.
    npy_sink sink(scratch.path());
    source_row other = row_of(0);
    other.text += "!";
    expect_failure(sink.declare_row(0, other), errc::folder_mismatch, "another text for row 0");
}

TEST(row_hashes, torn_missing_and_surplus_records_are_made_good) {
    struct change {
        const char* name;
        const char* file;
        std::string (*made)(std::string);
    };
    const std::vector<change> changes{
        {"torn rows", "rows.sha256", [](std::string s) { return s.substr(0, 70); }},
        {"no rows", "rows.sha256", [](std::string) { return std::string(); }},
        {"surplus rows", "rows.sha256", [](std::string s) { return s + std::string(100, 'x'); }},
        {"zero rows", "rows.sha256", [](std::string s) { return s.replace(64, 32, 32, '\0'); }},
        {"torn texts", "texts.sha256", [](std::string s) { return s.substr(0, 100); }},
        {"zero texts", "texts.sha256", [](std::string s) { return s.replace(64, 128, 128, '\0'); }},
        {"surplus texts", "texts.sha256", [](std::string s) { return s + "x"; }},
    };
    for (const auto& [name, file, made] : changes) {
        SCOPED_TRACE(name);
        scratch_folder scratch;
        begin_run(scratch);
        scratch.write(file, made(scratch.read(file)));
        end_run(scratch);
        EXPECT_EQ(scratch.read("rows.sha256"), row_hash(0) + row_hash(1) + row_hash(2) + row_hash(3));
        EXPECT_EQ(scratch.read("texts.sha256"), texts_of_rows(4));
        EXPECT_FALSE(scratch.has("rows.sha256.new"));
        EXPECT_FALSE(scratch.has("texts.sha256.new"));
    }
}

void remove_hashes(const scratch_folder& scratch) {
    std::filesystem::remove(scratch.file("rows.sha256"));
    std::filesystem::remove(scratch.file("texts.sha256"));
}

TEST(row_hashes, of_a_folder_begun_without_them_are_made) {
    scratch_folder scratch;
    begin_run(scratch);
    remove_hashes(scratch);
    {
        npy_sink sink(scratch.path());
        describe_rows(sink, 4);
        expect_ok(sink.copy(2, 1));
        expect_ok(sink.fail(failure_of(3)));
        expect_ok(sink.finish(4, dims));
    }
    EXPECT_EQ(scratch.read("rows.sha256"), row_hash(0) + row_hash(2) + row_hash(2) + nan_hash(dims));
    EXPECT_EQ(scratch.read("texts.sha256"), texts_of_rows(4));
}

TEST(row_hashes, of_a_folder_finished_without_them_are_not_missed) {
    scratch_folder scratch;
    begin_run(scratch);
    end_run(scratch);
    remove_hashes(scratch);
    npy_sink sink(scratch.path());
    describe_rows(sink, 4);
    owned_batch batch({0, 2});
    expect_ok(sink.write(batch.rows));
    expect_ok(sink.finish(4, dims));
    EXPECT_FALSE(scratch.has("rows.sha256"));
    EXPECT_FALSE(scratch.has("texts.sha256"));
}

TEST(row_hashes, a_text_that_nobody_described_again_is_named) {
    scratch_folder scratch;
    begin_run(scratch);
    remove_hashes(scratch);
    npy_sink sink(scratch.path());
    expect_ok(sink.declare_row(3, row_of(3)));
    owned_batch batch({1, 3});
    expect_ok(sink.write(batch.rows));
    expect_failure(sink.finish(4, dims), errc::invalid_argument, "no hash of the text of row 0");
    EXPECT_FALSE(scratch.has("embeddings.npy"));
}

TEST(row_hashes, are_made_for_an_old_folder_wherever_a_process_dies) {
    scratch_folder clean;
    {
        npy_writer sink(clean.path(), storage::system_file_ops());
        remembered memory;
        expect_ok(write_folder(sink, memory));
    }
    std::uint64_t deaths = 0;
    for (std::uint64_t at = 0;; ++at) {
        scratch_folder scratch;
        remembered memory;
        {
            faulty_ops ops;
            ops.refuse_rename = true;  // Everything but the end.
            npy_writer sink(scratch.path(), ops);
            EXPECT_FALSE(write_folder(sink, memory));
        }
        remove_hashes(scratch);
        faulty_ops ops;
        ops.die_at = at;
        {
            npy_writer sink(scratch.path(), ops);
            deaths += write_folder(sink, memory) ? 0 : 1;
        }
        npy_writer last(scratch.path(), storage::system_file_ops());
        expect_ok(write_folder(last, memory));
        for (const char* file : {"embeddings.npy", "rows.sha256", "texts.sha256"}) {
            ASSERT_EQ(scratch.read(file), clean.read(file)) << file << " after dying at call " << at;
        }
        if (deaths <= at) {
            break;
        }
    }
    EXPECT_GT(deaths, 10u);
}

// ---- the file under them

std::vector<std::byte> record(std::size_t size, int value) {
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

TEST(record_file, reads_what_is_written_and_what_is_still_gathered) {
    scratch_folder scratch;
    record_file file(storage::system_file_ops(), scratch.file("f"), 4);
    expect_ok(file.open());
    expect_ok(file.write(2, record(8, 2)));
    expect_ok(file.write(3, record(4, 3)));  // Overwrites a part of what is gathered.
    expect_ok(file.write(4, record(4, 4)));
    EXPECT_EQ(scratch.read("f"), "");
    std::vector<std::byte> seen(6 * 4);
    expect_ok(file.read(0, seen));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(seen.data()), seen.size()),
              std::string(8, '\0') + "\2\2\2\2\3\3\3\3\4\4\4\4" + std::string(4, '\0'));
    expect_ok(file.write(1, record(4, 1)));
    expect_ok(file.sync());
    EXPECT_EQ(scratch.read("f"), std::string(4, '\0') + "\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4");
    expect_ok(file.write(std::numeric_limits<std::uint64_t>::max() - 1, record(4, 1)));
    expect_failure(file.sync(), errc::io, "f");
}

TEST(record_file, a_failed_write_is_made_up_for_later) {
    scratch_folder scratch;
    faulty_ops ops;
    record_file file(ops, scratch.file("f"), 4);
    expect_ok(file.open());
    expect_ok(file.write(0, record(8, 1)));
    ops.space = 5;
    expect_failure(file.sync(), errc::io, "free some space");
    expect_failure(file.write(9, record(4, 2)), errc::io, "free some space");
    ops.space = faulty_ops::never;
    expect_ok(file.write(9, record(4, 2)));
    expect_ok(file.sync());
    EXPECT_EQ(scratch.read("f"), "\1\1\1\1\1\1\1\1" + std::string(28, '\0') + "\2\2\2\2");
}

}  // namespace
}  // namespace vembed
