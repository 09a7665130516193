// What an output takes on disk, what of it is there, and when a run is refused for want of room.

#include <gtest/gtest.h>

#include <fcntl.h>

#include <limits>

#include "folder/npy_aids.hpp"
#include "folder/output_space.hpp"
#include "folder/write/npy_writer.hpp"
#include "journal/log_pages.hpp"
#include "support/faulty_ops.hpp"
#include "support/scratch.hpp"

namespace vembed::folder {
namespace {

using testing::expect_failure;
using testing::expect_ok;
using testing::faulty_ops;
using testing::scratch_folder;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t mebibyte = 1 << 20;

TEST(output_space, bytes_of_a_result) {
    EXPECT_EQ(output_bytes(npy_shape(0, 1024)), 128u);
    EXPECT_EQ(output_bytes(npy_shape(10'000'000, 1024)), 41'920'000'128u);
    EXPECT_EQ(output_bytes(npy_shape(most, 1024)), most);
    EXPECT_EQ(output_bytes(npy_shape(2, most)), most);
}

TEST(output_space, what_lacks) {
    struct row {
        std::uint64_t left;
        std::optional<std::uint64_t> free;
        std::uint64_t lacking;
    };
    const row table[] = {
        {0, 0, 0},
        {100, std::nullopt, 0},
        {most, std::nullopt, 0},
        {100 * mebibyte, 200 * mebibyte, 0},
        {100 * mebibyte, 100 * mebibyte, 0},
        {101 * mebibyte, 100 * mebibyte, 0},  // rounding
        {101 * mebibyte + 1, 100 * mebibyte, mebibyte + 1},
        {mebibyte, 0, 0},
        {most, 100, most - 100},
        {most, most, 0},
    };
    for (const row& one : table) {
        output_space seen;
        seen.left = one.left;
        seen.free = one.free;
        EXPECT_EQ(bytes_lacking(seen), one.lacking) << one.left << " of " << one.free.value_or(0);
    }
}

TEST(output_space, a_journal_stays_within_a_limit_of_file_sizes) {
    EXPECT_EQ(journal::log_pages_within(std::nullopt).value(), 1000U);
    EXPECT_EQ(journal::log_pages_within(std::uint64_t{1} << 40).value(), 1000U);
    EXPECT_EQ(journal::log_pages_within(std::uint64_t{1} << 20).value(), 64U);
    const auto too_little = journal::log_pages_within(100'000);
    ASSERT_FALSE(too_little);
    EXPECT_NE(too_little.error().message.find("ulimit -f"), std::string::npos) << too_little.error();
}

TEST(output_space, holes_are_not_on_disk) {
    scratch_folder scratch;
    faulty_ops ops;
    const std::string path = scratch.file("embeddings.npy.partial");
    EXPECT_EQ(storage::bytes_on_disk(ops, path).value(), 0u) << "no file";
    {
        auto fd = storage::open_file(ops, path, O_RDWR | O_CREAT);
        expect_ok(fd);
        const std::string block(mebibyte, 'x');
        expect_ok(storage::write_at(ops, fd->get(), block.data(), block.size(), 0, path));
        expect_ok(storage::write_at(ops, fd->get(), block.data(), block.size(), 5 * mebibyte, path));
    }
    EXPECT_EQ(storage::bytes_on_disk(ops, path).value(), 2 * mebibyte);
    const npy_shape shape(6 * mebibyte / 4096, 1024);
    const auto seen = look_at_space(ops, scratch.path(), shape);
    expect_ok(seen);
    EXPECT_EQ(seen->left, output_bytes(shape) - 2 * mebibyte);
    ops.hides_holes = true;
    EXPECT_EQ(storage::bytes_on_disk(ops, path).value(), 6 * mebibyte);
}

TEST(output_space, nothing_is_left_of_a_finished_result) {
    scratch_folder scratch;
    faulty_ops ops;
    scratch.write("embeddings.npy", "x");
    EXPECT_EQ(look_at_space(ops, scratch.path(), npy_shape(1'000'000, 1024)).value().left, 0u);
}

TEST(output_space, a_folder_that_is_not_there_yet) {
    scratch_folder scratch;
    faulty_ops ops;
    ops.blocks = 3;
    EXPECT_EQ(storage::free_bytes(ops, scratch.file("a/b/")), 3u * 4096u);
    EXPECT_EQ(storage::free_bytes(ops, "not/there"), 3u * 4096u);
    ops.sizeless = true;
    EXPECT_EQ(storage::free_bytes(ops, scratch.path()), std::nullopt);
}

TEST(npy_writer, refuses_what_does_not_fit_before_it_makes_a_file) {
    scratch_folder scratch;
    faulty_ops ops;
    ops.blocks = 1000;  // 4.1 MB
    const std::string folder = scratch.file("out");
    npy_writer sink(folder, ops);
    expect_ok(sink.reserve(900, 1024));
    expect_failure(sink.reserve(1'000'000, 1024), errc::io, "4.2 GB are still to be written and 4.0 MB are free there");
    expect_failure(sink.reserve(1'000'000, 1024), errc::io, "free another 4.2 GB");
    EXPECT_FALSE(scratch.has("out"));
    ops.sizeless = true;
    expect_ok(sink.reserve(1'000'000, 1024));
}

// What is needed never looks like what there is, or like less.
TEST(output_space, what_is_lacking_shows_in_the_sizes) {
    struct row {
        std::uint64_t left;
        std::uint64_t free;
        const char* said;
    };
    constexpr std::uint64_t mb = 1'000'000;
    const row table[] = {
        {60 * mb, 0, "60.0 MB are still to be written and 0 B are free there; free another 60.0 MB"},
        {100 * mb, 40 * mb, "100.0 MB are still to be written and 40.0 MB are free there; free another 60.0 MB"},
        {12'002 * mb, 12'000 * mb, "12.1 GB are still to be written and 12.0 GB are free there; free another 2.0 MB"},
        {12'010 * mb, 12'008 * mb, "12.1 GB are still to be written and 12.0 GB are free there; free another 2.0 MB"},
        {1'001 * mb, 999 * mb, "1.1 GB are still to be written and 999.0 MB are free there; free another 2.0 MB"},
    };
    for (const row& one : table) {
        output_space seen;
        seen.left = one.left;
        seen.free = one.free;
        ASSERT_TRUE(lacks_space(seen));
        const error said = no_space(seen, "out", npy_shape(10, 4));
        EXPECT_NE(said.message.find(one.said), std::string::npos) << said.message;
    }
}

}  // namespace
}  // namespace vembed::folder
