// What this machine remembers of a model's chunk size: the file, what jobs say of it, and that a budget of one chunk
// then buys a chunk.

#include <fstream>

#include <gtest/gtest.h>

#include "bulk/scratch.hpp"
#include "client/chunk_sizes.hpp"
#include "support/corpus_run.hpp"

namespace vembed::testing {
namespace {

using detail::chunk_size_shown;
using detail::remember_chunk_size;
using detail::remembered_chunk_size;

void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

job_results chunks_of(std::initializer_list<std::uint64_t> lengths) {
    job_results results;
    std::uint64_t row = 0;
    for (const std::uint64_t length : lengths) {
        chunk_result& chunk = results.chunks.emplace_back();
        chunk.row_start = row;
        chunk.row_end = row += length;
    }
    return results;
}

TEST(ChunkSizes, AreKeptByServiceAndModel) {
    const scratch_folder folder;
    const std::string path = folder.file("deep/state/chunk-sizes.json");
    const std::string key = detail::chunk_size_key("https://a.test", "bge", "");
    const std::string other = detail::chunk_size_key("https://b.test", "bge", "");
    const std::string spec = detail::chunk_size_key("https://a.test", "", "model: bge\n");
    EXPECT_EQ(remembered_chunk_size(path, key), 0U);
    ASSERT_TRUE(remember_chunk_size(path, key, 100));
    ASSERT_TRUE(remember_chunk_size(path, other, 50));
    ASSERT_TRUE(remember_chunk_size(path, spec, 7));
    EXPECT_EQ(remembered_chunk_size(path, key), 100U);
    EXPECT_EQ(remembered_chunk_size(path, other), 50U);
    EXPECT_EQ(remembered_chunk_size(path, spec), 7U);
    ASSERT_TRUE(remember_chunk_size(path, key, 25));
    EXPECT_EQ(remembered_chunk_size(path, key), 25U);
}

TEST(ChunkSizes, RubbishIsNothingAndAnotherVersionIsLeftAlone) {
    const std::string key = "https://a.test bge";
    for (const std::string text :
         {"", "rubbish", "[]", "{}", "\x01\x02", R"({"vembed_chunk_sizes":1})",
          R"({"vembed_chunk_sizes":1,"sizes":[]})", R"({"vembed_chunk_sizes":1,"sizes":{"https://a.test bge":"x"}})",
          R"({"vembed_chunk_sizes":1,"sizes":{"https://a.test bge":-3}})",
          R"({"vembed_chunk_sizes":1,"sizes":{"https://a.test bge":0}})",
          R"({"vembed_chunk_sizes":1,"sizes":{"https://a.test bge":1000000}})"}) {
        const scratch_folder folder;
        const std::string path = folder.file("sizes");
        write_file(path, text);
        EXPECT_EQ(remembered_chunk_size(path, key), 0U) << text;
        ASSERT_TRUE(remember_chunk_size(path, key, 100)) << text;
        EXPECT_EQ(remembered_chunk_size(path, key), 100U) << text;
    }
    const scratch_folder folder;
    const std::string path = folder.file("sizes");
    const std::string newer = R"({"vembed_chunk_sizes":2,"sizes":{"https://a.test bge":5}})";
    write_file(path, newer);
    EXPECT_EQ(remembered_chunk_size(path, key), 0U);
    EXPECT_TRUE(remember_chunk_size(path, key, 100));
    EXPECT_EQ(folder.read("sizes"), newer);
}

TEST(ChunkSizes, TheFileIsBounded) {
    const scratch_folder folder;
    const std::string path = folder.file("sizes");
    std::string text = R"({"vembed_chunk_sizes":1,"sizes":{"a":1)";
    for (std::size_t i = 1; i < detail::chunk_sizes_max + 20; ++i) {
        text += ",\"model " + std::to_string(i) + "\":10";
    }
    write_file(path, text + "}}");
    ASSERT_TRUE(remember_chunk_size(path, "new", 100));
    EXPECT_EQ(remembered_chunk_size(path, "new"), 100U);
    EXPECT_EQ(remembered_chunk_size(path, "a"), 0U) << "the one noted longest ago";
    EXPECT_EQ(remembered_chunk_size(path, "model " + std::to_string(detail::chunk_sizes_max + 19)), 10U);
    const std::string kept = folder.read("sizes");
    EXPECT_EQ(static_cast<std::size_t>(std::count(kept.begin(), kept.end(), ':')), detail::chunk_sizes_max + 2);
    ASSERT_TRUE(remember_chunk_size(path, std::string(5000, 'x'), 3));
    EXPECT_EQ(folder.read("sizes"), kept);
}

TEST(ChunkSizes, TwoChunksShowTheSizeAndOneAtLeastItsRows) {
    EXPECT_EQ(chunk_size_shown(chunks_of({}), 0), 0U);
    EXPECT_EQ(chunk_size_shown(chunks_of({}), 40), 40U);
    EXPECT_EQ(chunk_size_shown(chunks_of({10}), 0), 10U);
    EXPECT_EQ(chunk_size_shown(chunks_of({10}), 40), 40U) << "it may not be full";
    EXPECT_EQ(chunk_size_shown(chunks_of({60}), 40), 60U);
    EXPECT_EQ(chunk_size_shown(chunks_of({25, 5}), 40), 25U) << "the size has shrunk";
    EXPECT_EQ(chunk_size_shown(chunks_of({50, 50, 1}), 40), 50U);
}

class budget_of_one {
public:
    explicit budget_of_one(const std::string& state, std::uint64_t told = 0) : w(options(), 1, keeping(state)), r(40) {
        r.bulk.max_chunks = 1;
        r.bulk.rows_per_chunk = told;
    }

    std::uint64_t rows_bought() {
        const auto report = r.in(w);
        EXPECT_TRUE(report) << report.error();
        EXPECT_EQ(w.remote->counters().chunks_charged, 1U);
        return report ? report->rows_done : 0;
    }

    static service_options options() {
        service_options chosen;
        chosen.chunk_size = 5;
        return chosen;
    }

    static client_options keeping(const std::string& state) {
        client_options chosen;
        chosen.quota_folder = state;
        return chosen;
    }

    world w;
    corpus_run r;
};

TEST(ChunkSizes, ABudgetOfOneChunkBuysAChunkWhereTheSizeIsRemembered) {
    const scratch_folder folder;
    const std::string state = folder.file("state");
    EXPECT_EQ(budget_of_one(state).rows_bought(), 1U) << "each row may take a chunk as far as anybody knows";
    {
        world w(budget_of_one::options(), 1, budget_of_one::keeping(state));
        corpus_run r(20);
        ASSERT_TRUE(r.in(w));
    }
    EXPECT_EQ(budget_of_one(state).rows_bought(), 5U);
    EXPECT_EQ(budget_of_one(state, 3).rows_bought(), 3U) << "the caller's word wins";
    EXPECT_EQ(budget_of_one("").rows_bought(), 1U) << "without a folder nothing is read";
}

}  // namespace
}  // namespace vembed::testing
