// What this machine remembers of a model's chunk size: the file, what jobs say of it, and that a budget of one chunk
// then buys a chunk.

#include <fstream>

#include <gtest/gtest.h>

#include "client/account/chunk_sizes.hpp"
#include "support/corpus_run.hpp"
#include "support/mortal.hpp"
#include "support/scratch.hpp"

namespace vembed::testing {
namespace {

using detail::chunk_size;
using detail::chunk_size_shown;
using detail::remember_chunk_size;
using detail::remembered_chunk_size;

chunk_size whole(std::uint64_t rows) {
    return {rows, true};
}

chunk_size at_least(std::uint64_t rows) {
    return {rows, false};
}

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
    EXPECT_EQ(remembered_chunk_size(path, key), chunk_size());
    ASSERT_TRUE(remember_chunk_size(path, key, whole(100)));
    ASSERT_TRUE(remember_chunk_size(path, other, at_least(50)));
    ASSERT_TRUE(remember_chunk_size(path, spec, whole(7)));
    EXPECT_EQ(remembered_chunk_size(path, key), whole(100));
    EXPECT_EQ(remembered_chunk_size(path, other), at_least(50));
    EXPECT_EQ(remembered_chunk_size(path, spec), whole(7));
    ASSERT_TRUE(remember_chunk_size(path, key, at_least(25)));
    EXPECT_EQ(remembered_chunk_size(path, key), at_least(25));
    ASSERT_TRUE(remember_chunk_size(path, key, whole(25))) << "only now it is known";
    EXPECT_EQ(remembered_chunk_size(path, key), whole(25));
    EXPECT_EQ(remembered_chunk_size(path, spec), whole(7)) << "what else is in the file stays";
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
        EXPECT_EQ(remembered_chunk_size(path, key), chunk_size()) << text;
        ASSERT_TRUE(remember_chunk_size(path, key, whole(100))) << text;
        EXPECT_EQ(remembered_chunk_size(path, key), whole(100)) << text;
    }
    const scratch_folder folder;
    const std::string path = folder.file("sizes");
    const std::string newer = R"({"vembed_chunk_sizes":2,"sizes":{"https://a.test bge":5}})";
    write_file(path, newer);
    EXPECT_EQ(remembered_chunk_size(path, key), chunk_size());
    EXPECT_TRUE(remember_chunk_size(path, key, whole(100)));
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
    ASSERT_TRUE(remember_chunk_size(path, "new", at_least(100)));
    EXPECT_EQ(remembered_chunk_size(path, "new"), at_least(100));
    EXPECT_EQ(remembered_chunk_size(path, "a"), chunk_size()) << "the one noted longest ago";
    EXPECT_EQ(remembered_chunk_size(path, "model " + std::to_string(detail::chunk_sizes_max + 19)), at_least(10));
    const std::string kept = folder.read("sizes");
    EXPECT_EQ(static_cast<std::size_t>(std::count(kept.begin(), kept.end(), ':')), detail::chunk_sizes_max + 2);
    ASSERT_TRUE(remember_chunk_size(path, std::string(5000, 'x'), whole(3)));
    EXPECT_EQ(folder.read("sizes"), kept);
}

TEST(ChunkSizes, ASizeFromAFileThatDoesNotCallItWholeIsTheLeast) {
    for (const auto& [text, wanted] :
         {std::pair(R"({"vembed_chunk_sizes":1,"sizes":{"k":10}})", at_least(10)),
          std::pair(R"({"vembed_chunk_sizes":1,"sizes":{"k":10},"whole":{"k":10}})", whole(10)),
          std::pair(R"({"vembed_chunk_sizes":1,"sizes":{"k":12},"whole":{"k":10}})", at_least(12)),
          std::pair(R"({"vembed_chunk_sizes":1,"sizes":{},"whole":{"k":10}})", chunk_size()),
          std::pair(R"({"vembed_chunk_sizes":1,"sizes":{"k":10},"whole":["k"]})", at_least(10))}) {
        const scratch_folder folder;
        const std::string path = folder.file("sizes");
        write_file(path, text);
        EXPECT_EQ(remembered_chunk_size(path, "k"), wanted) << text;
    }
}

TEST(ChunkSizes, TwoChunksShowTheSizeAndOneAtLeastItsRows) {
    EXPECT_EQ(chunk_size_shown(chunks_of({}), chunk_size()), chunk_size());
    EXPECT_EQ(chunk_size_shown(chunks_of({}), whole(40)), whole(40));
    EXPECT_EQ(chunk_size_shown(chunks_of({10}), chunk_size()), at_least(10));
    EXPECT_EQ(chunk_size_shown(chunks_of({10}), whole(40)), whole(40)) << "it may not be full";
    EXPECT_EQ(chunk_size_shown(chunks_of({60}), whole(40)), at_least(60));
    EXPECT_EQ(chunk_size_shown(chunks_of({25, 5}), whole(40)), whole(25)) << "the size has shrunk";
    EXPECT_EQ(chunk_size_shown(chunks_of({50, 50, 1}), at_least(50)), whole(50));
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
    EXPECT_EQ(budget_of_one(state, 20).rows_bought(), 5U) << "but for a cap the smaller size counts";
    EXPECT_EQ(budget_of_one("").rows_bought(), 1U) << "without a folder nothing is read";
}

TEST(ChunkSizes, ACapIsNotPassedByTheFirstJobWhereTheSizeThatIsSaidIsTooLarge) {
    const scratch_folder folder;
    const std::string state = folder.file("state");
    {
        world w(budget_of_one::options(), 1, budget_of_one::keeping(state));
        corpus_run r(20);
        ASSERT_TRUE(r.in(w));
    }
    for (const bool capped : {true, false}) {
        service_options chosen = budget_of_one::options();
        chosen.account_tier = tier::paid;
        world w(chosen, 1, budget_of_one::keeping(state));
        std::size_t told = 0;
        w.env->set_log_hook([&told](const log_record& seen) { told += seen.event == "chunk_size_in_doubt" ? 1 : 0; });
        corpus_run r(400, 100);
        r.bulk.rows_per_chunk = 50;
        r.bulk.max_chunks = capped ? std::optional<std::uint64_t>(10) : std::nullopt;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(w.remote->counters().chunks_charged, capped ? 10U : 80U) << "each job of 100 rows takes 20";
        EXPECT_EQ(report->rows_done, capped ? 50U : 400U);
        EXPECT_EQ(told, capped ? 1U : 0U);
    }
}

// A run that went by 50 rows a chunk goes on where a chunk has 5.
TEST(ChunkSizes, ACapIsNotPassedInARunThatGoesOnWithALargerSize) {
    for (const std::uint64_t said : {0U, 5U, 50U}) {
        const scratch_folder folder;
        memory_journal journal(std::make_shared<lifetime>());
        corpus_run r(400, 100);
        r.bulk.journal = &journal;
        r.bulk.max_chunks = 2;
        r.bulk.verify = verify_level::none;  // The two services' receipts would be of two models.
        std::uint64_t charged = 0;
        for (const std::uint64_t size : {50U, 5U}) {
            service_options chosen;
            chosen.chunk_size = size;
            chosen.account_tier = tier::paid;
            world w(chosen, 1, budget_of_one::keeping(folder.file("state")));
            if (size == 5) {  // Another run of this machine has seen that.
                corpus_run other(20);
                ASSERT_TRUE(other.in(w));
                charged -= w.remote->counters().chunks_charged;
                r.bulk.rows_per_chunk = said;
                r.bulk.max_chunks = 8;
            }
            const auto report = r.in(w);
            ASSERT_TRUE(report) << report.error();
            charged += w.remote->counters().chunks_charged;
            r.sink.described = 0;
            r.sink.expected_rows.reset();
        }
        EXPECT_EQ(charged, 8U) << said;
    }
}

}  // namespace
}  // namespace vembed::testing
