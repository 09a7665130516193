#include <vembed/verify/output_check.hpp>

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace vembed {
namespace {

using chunks = std::vector<expected_chunk>;

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

struct tiling_case {
    chunks given;
    std::uint64_t rows;
    std::string_view complaint;  // Empty: it tiles.
};

TEST(check_tiling, table) {
    const std::vector<tiling_case> cases = {
        {{}, 0, ""},
        {{{0, 0, 5}}, 5, ""},
        {{{0, 0, 5}, {1, 5, 6}, {2, 6, 10}}, 10, ""},
        {{{7, 0, 5}, {3, 5, 6}}, 6, ""},
        {{}, 1, "0 chunks end at row 0"},
        {{{0, 0, 5}}, 6, "end at row 5"},
        {{{0, 0, 5}}, 4, "chunk 0 (rows [0, 5)) goes beyond"},
        {{{0, 0, 0}}, 0, "chunk 0 (rows [0, 0)) has no rows"},
        {{{0, 0, 5}, {1, 5, 5}}, 5, "chunk 1 (rows [5, 5)) has no rows"},
        {{{0, 0, 5}, {1, 9, 5}}, 5, "chunk 1 (rows [9, 5)) has no rows"},
        {{{0, 1, 5}}, 5, "chunk 0 (rows [1, 5)) leaves a gap: row 0"},
        {{{0, 0, 5}, {1, 6, 10}}, 10, "chunk 1 (rows [6, 10)) leaves a gap: row 5"},
        {{{0, 0, 5}, {1, 4, 10}}, 10, "chunk 1 (rows [4, 10)) overlaps"},
        {{{0, 0, 5}, {1, 0, 5}}, 10, "chunk 1 (rows [0, 5)) overlaps"},
        {{{1, 5, 10}, {0, 0, 5}}, 10, "chunk 1 (rows [5, 10)) leaves a gap"},
        {{{0, 0, huge}}, 10, "goes beyond"},
    };
    for (const auto& c : cases) {
        const auto tiled = check_tiling(c.given, c.rows);
        EXPECT_EQ(tiled.has_value(), c.complaint.empty()) << c.complaint;
        if (!tiled) {
            EXPECT_EQ(tiled.error().kind, errc::verification_failed);
            EXPECT_NE(tiled.error().message.find(c.complaint), std::string::npos) << tiled.error().message;
        }
    }
}

constexpr std::uint64_t row_size = 12;

std::vector<std::byte> some_bytes(std::size_t size) {
    std::mt19937 random(7);
    std::vector<std::byte> bytes(size);
    for (auto& b : bytes) {
        b = static_cast<std::byte>(random());
    }
    return bytes;
}

digest part_hash(const std::vector<std::byte>& bytes, std::uint64_t first_row, std::uint64_t end_row) {
    return sha256_of(std::span(bytes).subspan(first_row * row_size, (end_row - first_row) * row_size));
}

// Three chunks of 10 rows, the second without a commitment.
chunks promised(const std::vector<std::byte>& bytes) {
    return {{0, 0, 4, to_hex(part_hash(bytes, 0, 4)), true}, {1, 4, 5}, {2, 5, 10, to_hex(part_hash(bytes, 5, 10))}};
}

TEST(output_hasher, gives_the_same_hashes_for_any_pieces) {
    const auto bytes = some_bytes(10 * row_size);
    for (std::size_t piece_max = 1; piece_max <= bytes.size(); ++piece_max) {
        output_hasher hasher(promised(bytes), row_size, true);
        for (std::size_t at = 0; at < bytes.size(); at += piece_max) {
            hasher.update(std::span(bytes).subspan(at, std::min(piece_max, bytes.size() - at)));
            hasher.update({});
        }
        const auto digests = hasher.finish();
        ASSERT_TRUE(digests) << digests.error().message;
        ASSERT_EQ(digests->whole, sha256_of(bytes));
        ASSERT_EQ(digests->chunks,
                  (std::vector{part_hash(bytes, 0, 4), part_hash(bytes, 4, 5), part_hash(bytes, 5, 10)}));
    }
}

TEST(output_hasher, hashes_the_whole_only_where_asked) {
    const auto bytes = some_bytes(10 * row_size);
    output_hasher apart(promised(bytes), row_size);
    apart.update(bytes);
    EXPECT_FALSE(apart.finish().value().whole);

    output_hasher single({{0, 0, 10}}, row_size, true);
    single.update(bytes);
    EXPECT_EQ(single.finish().value().whole, sha256_of(bytes));

    output_hasher nothing({}, row_size, true);
    const auto of_nothing = nothing.finish().value();
    EXPECT_EQ(of_nothing.whole, sha256_of(""));
    EXPECT_TRUE(of_nothing.chunks.empty());
}

TEST(output_hasher, names_the_first_chunk_that_differs) {
    const auto good = some_bytes(10 * row_size);
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] ^= std::byte{1};
        output_hasher hasher(promised(good), row_size);
        hasher.update(bad);
        const auto digests = hasher.finish();
        const std::uint64_t row = at / row_size;
        if (row == 4) {
            ASSERT_TRUE(digests) << "chunk 1 has no commitment";
            continue;
        }
        ASSERT_FALSE(digests) << at;
        EXPECT_EQ(digests.error().kind, errc::verification_failed);
        const std::string name = row < 4 ? "chunk 0 (rows [0, 4))" : "chunk 2 (rows [5, 10))";
        EXPECT_NE(digests.error().message.find(name), std::string::npos) << digests.error().message;
    }
}

TEST(output_hasher, wants_exactly_the_promised_length) {
    const auto bytes = some_bytes(11 * row_size);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        output_hasher hasher(promised(bytes), row_size);
        hasher.update(std::span(bytes).first(size));
        const auto digests = hasher.finish();
        ASSERT_EQ(digests.has_value(), size == 10 * row_size) << size;
        if (!digests) {
            EXPECT_NE(digests.error().message.find(std::to_string(size) + " bytes"), std::string::npos);
        }
    }
}

TEST(output_hasher, takes_only_hashes_for_commitments) {
    const auto bytes = some_bytes(10 * row_size);
    const std::string good = to_hex(sha256_of(bytes));
    for (const std::string& bad : {std::string(), std::string("sha256:") + good, good.substr(1), good + "0",
                                   std::string(64, 'z'), std::string(1000, 'a')}) {
        output_hasher hasher({{3, 0, 10, bad}}, row_size);
        hasher.update(bytes);
        const auto digests = hasher.finish();
        ASSERT_FALSE(digests) << bad;
        EXPECT_NE(digests.error().message.find("chunk 3"), std::string::npos);
        EXPECT_LT(digests.error().message.size(), 200U);
    }
    std::string upper = good;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    output_hasher hasher({{0, 0, 10, upper}}, row_size);
    hasher.update(bytes);
    EXPECT_TRUE(hasher.finish());
}

TEST(output_hasher, survives_impossible_promises) {
    const auto bytes = some_bytes(100);
    for (const auto& [given, size] : std::vector<std::pair<chunks, std::uint64_t>>{
             {{{0, 0, huge}}, 4096},
             {{{0, 0, huge - 1}, {1, huge - 1, huge}}, 2},
             {{{0, 1, 2}}, 4},
             {{{0, 0, 2}, {1, 1, 3}}, 4},
             {{{0, 5, 2}}, 4},
             {{{0, 0, 2}}, 0},
         }) {
        output_hasher hasher(given, size, true);
        hasher.update(bytes);
        const auto digests = hasher.finish();
        ASSERT_FALSE(digests);
        EXPECT_EQ(digests.error().kind, errc::verification_failed);
    }
}

TEST(check_rows, takes_embeddings) {
    std::vector<float> values(6 * 1027, -0.25F);
    EXPECT_TRUE(check_rows(values, 6, 1027));
    std::fill(values.begin(), values.end(), 0.0F);
    for (std::size_t row = 0; row < 6; ++row) {
        values[row * 1027 + row * 200] = std::numeric_limits<float>::denorm_min();
    }
    EXPECT_TRUE(check_rows(values, 6, 1027));
    std::fill(values.begin(), values.end(), -std::numeric_limits<float>::max());
    EXPECT_TRUE(check_rows(values, 6, 1027));
    EXPECT_TRUE(check_rows({}, 0, 1024));
    EXPECT_TRUE(check_rows({}, 0, 0));
}

TEST(check_rows, names_a_number_that_is_not_finite_at_any_place) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const float bad : {infinity, -infinity, std::nanf("1"), -std::nanf("7"), std::bit_cast<float>(0x7f80'0001U)}) {
        for (std::size_t at = 0; at < 3 * 37; ++at) {
            std::vector<float> values(3 * 37, 1.0F);
            values[at] = bad;
            const auto checked = check_rows(values, 3, 37);
            ASSERT_FALSE(checked) << at;
            EXPECT_EQ(checked.error().kind, errc::verification_failed);
            const std::string place = "row " + std::to_string(at / 37) + " of the output is not finite: column " +
                                      std::to_string(at % 37) + " ";
            EXPECT_NE(checked.error().message.find(place), std::string::npos) << checked.error().message;
        }
    }
}

TEST(check_rows, names_a_row_of_zeros) {
    std::vector<float> values(5 * 16, 1.0F);
    std::fill(values.begin() + 3 * 16, values.begin() + 4 * 16, -0.0F);
    const auto checked = check_rows(values, 5, 16);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message.find("row 3 of the output is all zeros"), std::string::npos);
}

TEST(check_rows, wants_the_right_count) {
    const std::vector<float> values(12, 1.0F);
    EXPECT_TRUE(check_rows(values, 3, 4));
    EXPECT_FALSE(check_rows(values, 4, 4));
    EXPECT_FALSE(check_rows(values, 2, 4));
    EXPECT_FALSE(check_rows(values, 3, 0));
    EXPECT_FALSE(check_rows(values, 0, 0));
    EXPECT_FALSE(check_rows(values, 0, 4));
    EXPECT_FALSE(check_rows(values, 12, huge));
    // 2^62 × 8 wraps around to 0, and 2^62 + 1 rows of 12 to 12.
    EXPECT_FALSE(check_rows({}, std::uint64_t{1} << 62, 8));
    EXPECT_FALSE(check_rows(values, (std::uint64_t{1} << 62) + 1, 12));
}

}  // namespace
}  // namespace vembed
