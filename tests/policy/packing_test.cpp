#include "policy/packing/packing.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

packing_limits limits_of(std::uint64_t rows, std::uint64_t bytes, std::uint64_t rows_per_chunk,
                         std::optional<std::uint64_t> chunks = std::nullopt) {
    packing_limits limits;
    limits.rows = rows;
    limits.bytes = bytes;
    limits.rows_per_chunk = rows_per_chunk;
    limits.chunks = chunks;
    return limits;
}

TEST(Packing, AFullJobHasWholeChunks) {
    struct {
        packing_limits limits;
        std::uint64_t rows;
    } const table[] = {
        {limits_of(1000, 1, 100), 1000},   {limits_of(1000, 1, 300), 900},      {limits_of(1000, 1, 1000), 1000},
        {limits_of(1000, 1, 1500), 1000},  {limits_of(1000, 1, 0), 1000},       {limits_of(1000, 1, 1), 1000},
        {limits_of(1000, 1, 100, 7), 700}, {limits_of(1000, 1, 100, 10), 1000}, {limits_of(1000, 1, 100, 50), 1000},
        {limits_of(1000, 1, 300, 1), 300}, {limits_of(1000, 1, 1, 50), 50},     {limits_of(1000, 1, 0, 50), 1000},
        {limits_of(0, 1, 100), 1},         {limits_of(1000, 1, 100, 0), 100},   {limits_of(7, 1, 100), 7},
    };
    for (const auto& entry : table) {
        EXPECT_EQ(rows_in_full_job(entry.limits), entry.rows)
            << entry.limits.rows << " rows, " << entry.limits.rows_per_chunk << " a chunk";
    }
}

TEST(Packing, TakesFullJobsAndWaitsForLess) {
    const std::vector<std::uint64_t> small(250, 10);
    EXPECT_EQ(rows_to_take(small, limits_of(200, 1'000'000, 100), false), 200U);
    EXPECT_EQ(rows_to_take(small, limits_of(300, 1'000'000, 100), false), 0U);
    EXPECT_EQ(rows_to_take(small, limits_of(300, 1'000'000, 100), true), 250U) << "the last job takes what is left";
    EXPECT_EQ(rows_to_take({}, limits_of(300, 1'000'000, 100), true), 0U);
}

TEST(Packing, BytesCutAtAWholeChunk) {
    const std::vector<std::uint64_t> texts(500, 1'000);
    EXPECT_EQ(rows_to_take(texts, limits_of(1000, 250'000, 100), false), 200U);
    EXPECT_EQ(rows_to_take(texts, limits_of(1000, 250'000, 100), true), 200U);
    EXPECT_EQ(rows_to_take(texts, limits_of(1000, 50'000, 100), false), 50U) << "not even one chunk fits";
    EXPECT_EQ(rows_to_take(texts, limits_of(1000, 10, 100), false), 1U) << "one text always goes";
    EXPECT_EQ(rows_to_take(texts, limits_of(1000, 250'000, 0), false), 250U);
}

// Whatever the sizes and limits: nothing is taken that does not fit, and nothing stays for ever.
TEST(Packing, AlwaysGetsOnAndNeverTakesTooMuch) {
    std::uint64_t state = 7;
    const auto draw = [&state](std::uint64_t below) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return (state >> 33) % below;
    };
    for (int round = 0; round < 2'000; ++round) {
        std::vector<std::uint64_t> sizes(1 + draw(60));
        for (std::uint64_t& size : sizes) {
            size = 1 + draw(100);
        }
        const packing_limits limits =
            limits_of(1 + draw(40), draw(1'000), draw(20), draw(2) == 0 ? std::optional<std::uint64_t>() : 1 + draw(5));
        const std::size_t taken = rows_to_take(sizes, limits, true);
        ASSERT_GE(taken, 1U);
        ASSERT_LE(taken, limits.rows);
        const std::uint64_t bytes = std::accumulate(sizes.begin(), sizes.begin() + static_cast<long>(taken), 0ULL);
        ASSERT_TRUE(taken == 1 || bytes <= limits.bytes);
        if (limits.chunks && limits.rows_per_chunk > 0) {
            ASSERT_LE(chunks_of(taken, limits.rows_per_chunk), *limits.chunks);
        }
    }
}

TEST(Packing, CountsChunks) {
    EXPECT_EQ(chunks_of(1000, 100), 10U);
    EXPECT_EQ(chunks_of(1001, 100), 11U);
    EXPECT_EQ(chunks_of(0, 100), 0U);
    EXPECT_EQ(chunks_of(5, 0), 5U) << "a chunk a row at most";
    EXPECT_EQ(naive_chunks(117'659, 1000, 100), 1'177U);
    EXPECT_EQ(naive_chunks(10'000, 1000, 300), 40U);
    EXPECT_EQ(naive_chunks(10'050, 1000, 300), 41U);
    EXPECT_EQ(naive_chunks(10'000, 1000, 0), 0U);
}

TEST(Packing, AJobIsCutInTwoAtAWholeChunk) {
    struct {
        std::uint64_t rows;
        std::uint64_t size;
        std::uint64_t half;
    } const table[] = {
        {1000, 0, 500}, {1000, 20, 500}, {1000, 300, 600}, {50, 20, 20},
        {25, 20, 20},   {20, 20, 10},    {7, 20, 3},       {2, 1, 1},
    };
    for (const auto& c : table) {
        EXPECT_EQ(half_of(c.rows, c.size), c.half) << c.rows << " rows in chunks of " << c.size;
    }
}

}  // namespace
}  // namespace vembed::policy
