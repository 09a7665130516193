// dedup_index: the first row of each text, and rows that wait for one, without memory or files left behind.

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "reuse/dedup_index.hpp"
#include "support/faulty_ops.hpp"
#include "support/scratch.hpp"

namespace vembed::reuse {
namespace {

using testing::faulty_ops;
using testing::scratch_folder;

std::unique_ptr<dedup_index> make(const scratch_folder& scratch) {
    auto made = dedup_index::create(scratch.path());
    EXPECT_TRUE(made) << (made ? "" : made.error().describe());
    return made ? std::move(*made) : nullptr;
}

std::optional<std::uint64_t> ask(dedup_index& index, std::string_view text, std::uint64_t row) {
    auto found = index.find_or_add(sha256_of(text), row);
    EXPECT_TRUE(found) << (found ? "" : found.error().describe());
    return found ? *found : std::nullopt;
}

source_row row_of(std::uint64_t number) {
    source_row row;
    row.id = number % 3 == 0 ? "" : "id " + std::to_string(number);
    row.origin = "corpus.txt:" + std::to_string(number);
    row.text = std::string(number % 1000, 'x') + std::to_string(number) + '\0';
    return row;
}

TEST(dedup_index, says_which_row_had_a_text_first) {
    scratch_folder scratch;
    auto index = make(scratch);
    EXPECT_EQ(ask(*index, "a", 0), std::nullopt);
    EXPECT_EQ(ask(*index, "b", 1), std::nullopt);
    EXPECT_EQ(ask(*index, "a", 2), 0u);
    EXPECT_EQ(ask(*index, "", 3), std::nullopt);
    EXPECT_EQ(ask(*index, std::string_view("\0", 1), 4), std::nullopt);
    EXPECT_EQ(ask(*index, "", 5), 3u);
    EXPECT_EQ(ask(*index, "a ", 6), std::nullopt);
    EXPECT_EQ(index->texts(), 5u);
}

TEST(dedup_index, memory_takes_the_place_of_a_folder_that_takes_no_files) {
    const char* const before = std::getenv("TMPDIR");
    const std::string kept = before == nullptr ? "" : before;
    ::setenv("TMPDIR", "/nonexistent", 1);
    auto made = dedup_index::create("");
    before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
    ASSERT_TRUE(made) << made.error().describe();
    dedup_index& index = **made;
    for (std::uint64_t row = 0; row < 40'000; ++row) {
        EXPECT_EQ(ask(index, std::to_string(row % 30'000), row),
                  row < 30'000 ? std::nullopt : std::optional(row - 30'000));
    }
    ASSERT_TRUE(index.defer(1, 0, row_of(1)));
    EXPECT_EQ(index.describe(index.deferred_from(0, 1).value().at(0)).value().text, row_of(1).text);
}

// Lowers the limit on the sizes of this process' files; writes beyond it fail instead of ending the process.
class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) {
        before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
        ::rlimit lower = before_;
        lower.rlim_cur = bytes;
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &lower), 0);
    }
    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;
    ~file_size_limit() {
        (void)::setrlimit(RLIMIT_FSIZE, &before_);
        (void)std::signal(SIGXFSZ, before_handler_);
    }

private:
    ::rlimit before_{};
    void (*before_handler_)(int) = nullptr;
};

// Texts enough for a table that grows, and descriptions of more than the limit.
void fill_and_ask(dedup_index& index) {
    constexpr std::uint64_t texts = 30'000;
    for (std::uint64_t row = 0; row < 2 * texts; ++row) {
        ASSERT_EQ(ask(index, std::to_string(row % texts), row),
                  row < texts ? std::nullopt : std::optional(row - texts));
    }
    for (std::uint64_t row = 1; row < 4'000; ++row) {
        ASSERT_TRUE(index.defer(row, 0, row_of(row)));
    }
    for (const std::uint64_t row : {std::uint64_t{1}, std::uint64_t{1'999}, std::uint64_t{3'999}}) {
        const auto page = index.deferred_from(row, 1);
        ASSERT_TRUE(page) << page.error().describe();
        ASSERT_EQ(page->size(), 1u);
        const auto described = index.describe(page->front());
        ASSERT_TRUE(described) << described.error().describe();
        EXPECT_EQ(described->text, row_of(row).text);
        EXPECT_EQ(described->id, row_of(row).id);
    }
}

TEST(dedup_index, files_that_are_limited_in_size_go_on_in_memory) {
    for (const rlim_t limit : {rlim_t{0}, rlim_t{4'096}, rlim_t{307'200}, rlim_t{700'000}}) {
        scratch_folder scratch;
        const file_size_limit lower(limit);
        auto index = make(scratch);
        ASSERT_NE(index, nullptr);
        fill_and_ask(*index);
    }
}

TEST(dedup_index, a_limit_on_file_sizes_is_none_on_memory) {
    const char* const before = std::getenv("TMPDIR");
    const std::string kept = before == nullptr ? "" : before;
    ::setenv("TMPDIR", "/nonexistent", 1);
    const file_size_limit lower(4'096);
    auto made = dedup_index::create("");
    before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
    ASSERT_TRUE(made) << made.error().describe();
    fill_and_ask(**made);
}

TEST(dedup_index, a_row_is_no_duplicate_of_itself) {
    scratch_folder scratch;
    auto index = make(scratch);
    EXPECT_EQ(ask(*index, "a", 7), std::nullopt);
    EXPECT_EQ(ask(*index, "a", 7), std::nullopt);
    EXPECT_EQ(ask(*index, "a", 8), 7u);
    EXPECT_EQ(index->texts(), 1u);
}

TEST(dedup_index, row_numbers_may_be_large_but_not_the_largest) {
    scratch_folder scratch;
    auto index = make(scratch);
    constexpr std::uint64_t most = ~std::uint64_t{0};
    EXPECT_EQ(ask(*index, "a", most - 1), std::nullopt);
    EXPECT_EQ(ask(*index, "a", 0), most - 1);
    EXPECT_FALSE(index->find_or_add(sha256_of("b"), most));
}

// Enough texts that the table grows several times.
TEST(dedup_index, every_text_is_found_after_the_table_grew) {
    scratch_folder scratch;
    auto index = make(scratch);
    constexpr std::uint64_t texts = 100'000;
    for (std::uint64_t i = 0; i < texts; ++i) {
        ASSERT_EQ(ask(*index, std::to_string(i), i), std::nullopt);
    }
    for (std::uint64_t i = 0; i < texts; ++i) {
        ASSERT_EQ(ask(*index, std::to_string(i), texts + i), i);
    }
    EXPECT_EQ(index->texts(), texts);
}

digest crowded(std::uint64_t number, std::byte first) {
    digest made{};
    made[7] = first;  // the most significant byte of the first number, in memory order
    std::memcpy(made.data() + 8, &number, sizeof(number));
    return made;
}

// What a file system takes in at once it may keep as one piece, and go through all of it at each small write.
class page_ops : public faulty_ops {
public:
    ssize_t pwrite(int fd, const void* from, std::size_t size, off_t offset) noexcept override {
        largest = std::max(largest, size);
        crossed = crossed || offset / 4096 != (offset + static_cast<off_t>(size) - 1) / 4096;
        return faulty_ops::pwrite(fd, from, size, offset);
    }
    ssize_t pread(int fd, void* into, std::size_t size, off_t offset) noexcept override {
        largest_read = std::max(largest_read, size);
        return faulty_ops::pread(fd, into, size, offset);
    }
    std::size_t largest = 0;
    std::size_t largest_read = 0;
    bool crossed = false;
};

TEST(dedup_index, grows_page_by_page) {
    scratch_folder scratch;
    page_ops ops;
    auto index = dedup_index::create(scratch.path(), ops);
    ASSERT_TRUE(index);
    for (std::uint64_t row = 0; row < 30'000; ++row) {
        EXPECT_EQ(ask(**index, std::to_string(row), row), std::nullopt);
    }
    EXPECT_EQ(ops.largest, 4096u);
    EXPECT_FALSE(ops.crossed);
    EXPECT_LE(ops.largest_read, 65536u) << "what no window has written yet is not read";
}

// Digests that begin alike all want one slot; some of them the last slot of the table.
TEST(dedup_index, texts_whose_hashes_crowd_are_told_apart) {
    for (const auto first : {std::byte{0}, std::byte{0x7f}, std::byte{0xff}}) {
        scratch_folder scratch;
        auto index = make(scratch);
        for (std::uint64_t i = 0; i < 900; ++i) {
            auto added = index->find_or_add(crowded(i, first), i);
            ASSERT_TRUE(added && !*added);
        }
        for (std::uint64_t i = 0; i < 30'000; ++i) {  // and with that crowd, grows
            ASSERT_EQ(ask(*index, std::to_string(i), 1000 + i), std::nullopt);
        }
        for (std::uint64_t i = 0; i < 900; ++i) {
            auto found = index->find_or_add(crowded(i, first), 1'000'000);
            ASSERT_TRUE(found);
            EXPECT_EQ(*found, i);
        }
    }
}

// Digests that all want the very last slot do so in a table of any size.
TEST(dedup_index, a_crowd_that_no_table_holds_is_a_failure) {
    scratch_folder scratch;
    auto index = make(scratch);
    result<std::optional<std::uint64_t>> added;
    std::uint64_t taken = 0;
    for (; added && taken < 5000; ++taken) {
        digest text = crowded(taken, std::byte{0xff});
        std::fill_n(text.begin(), 8, std::byte{0xff});
        added = index->find_or_add(text, taken);
    }
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, errc::io);
    EXPECT_GT(taken, 1000u);
}

TEST(dedup_index, deferred_rows_are_walked_in_pages) {
    scratch_folder scratch;
    auto index = make(scratch);
    std::map<std::uint64_t, std::uint64_t> expected;
    for (std::uint64_t i = 1; i < 5000; ++i) {
        const std::uint64_t row = i * 3;
        ASSERT_TRUE(index->defer(row, i / 2, row_of(row)));
        expected[row] = i / 2;
    }
    EXPECT_EQ(index->deferred(), expected.size());
    std::map<std::uint64_t, std::uint64_t> seen;
    for (std::uint64_t from = 0;;) {
        auto page = index->deferred_from(from, 7);
        ASSERT_TRUE(page);
        if (page->empty()) {
            break;
        }
        EXPECT_LE(page->size(), 7u);
        for (const auto& deferred : *page) {
            EXPECT_GE(deferred.row, from);
            seen[deferred.row] = deferred.original;
            auto described = index->describe(deferred);
            ASSERT_TRUE(described);
            const auto wanted = row_of(deferred.row);
            EXPECT_EQ(described->id, wanted.id);
            EXPECT_EQ(described->origin, wanted.origin);
            EXPECT_EQ(described->text, wanted.text);
        }
        from = page->back().row + 1;
    }
    EXPECT_EQ(seen, expected);
}

TEST(dedup_index, rows_deferred_after_a_page_come_with_the_next) {
    scratch_folder scratch;
    auto index = make(scratch);
    EXPECT_TRUE(index->deferred_from(0, 10)->empty());
    ASSERT_TRUE(index->defer(5, 1, row_of(5)));
    EXPECT_EQ(index->deferred_from(0, 10)->size(), 1u);
    EXPECT_TRUE(index->deferred_from(6, 10)->empty());
    ASSERT_TRUE(index->defer(9, 1, row_of(9)));
    EXPECT_EQ(index->deferred_from(6, 10)->front().row, 9u);
    EXPECT_TRUE(index->deferred_from(6, 0)->empty());
}

TEST(dedup_index, rows_are_deferred_in_order) {
    scratch_folder scratch;
    auto index = make(scratch);
    ASSERT_TRUE(index->defer(5, 1, row_of(5)));
    for (const std::uint64_t row : {5u, 4u}) {
        auto refused = index->defer(row, 1, row_of(row));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, errc::invalid_argument);
    }
    deferred_row unknown;
    unknown.described_at = 1'000'000;
    EXPECT_FALSE(index->describe(unknown));
}

TEST(dedup_index, leaves_no_file_even_while_it_lives) {
    scratch_folder scratch;
    auto index = make(scratch);
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        ASSERT_EQ(ask(*index, std::to_string(i), i), std::nullopt);
    }
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

// A file system without nameless files.
class no_nameless_files : public faulty_ops {
public:
    int open(const char* path, int flags, mode_t mode) noexcept override {
        if (std::filesystem::is_directory(path)) {
            errno = EOPNOTSUPP;
            return -1;
        }
        return faulty_ops::open(path, flags, mode);
    }
};

TEST(dedup_index, does_without_nameless_files) {
    scratch_folder scratch;
    no_nameless_files ops;
    auto index = dedup_index::create(scratch.path(), ops);
    ASSERT_TRUE(index) << index.error().describe();
    EXPECT_EQ(ask(**index, "a", 0), std::nullopt);
    EXPECT_EQ(ask(**index, "a", 1), 0u);
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(dedup_index, a_folder_that_is_not_there_or_full_is_named) {
    auto nowhere = dedup_index::create("/nowhere/at/all");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().kind, errc::io);
    EXPECT_NE(nowhere.error().message.find("/nowhere/at/all"), std::string::npos);

    scratch_folder scratch;
    faulty_ops ops;
    auto index = dedup_index::create(scratch.path(), ops);
    ASSERT_TRUE(index);
    ops.space = 100'000;
    result<std::optional<std::uint64_t>> added;
    for (std::uint64_t i = 0; added && i < 100'000; ++i) {
        added = (*index)->find_or_add(sha256_of(std::to_string(i)), i);
    }
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, errc::io);
    EXPECT_NE(added.error().message.find(scratch.path()), std::string::npos) << added.error();
    result<void> deferred;
    for (std::uint64_t i = 1; deferred && i < 100'000; ++i) {
        deferred = (*index)->defer(i, 0, row_of(i));
    }
    EXPECT_FALSE(deferred);
}

}  // namespace
}  // namespace vembed::reuse
