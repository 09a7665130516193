#include <vembed/verify/commitment.hpp>

#include <bit>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "verify/hash/float_bytes.hpp"

namespace vembed {
namespace {

matrix some_rows(Eigen::Index rows, Eigen::Index columns) {
    std::mt19937 random(5);
    matrix values(rows, columns);
    for (Eigen::Index i = 0; i < values.size(); ++i) {
        values.data()[i] = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    }
    return values;
}

// By Python: hashlib.sha256(struct.pack("<6f", 0, -0.0, 1, -2.5, inf, 1e-45)).
TEST(commitment, is_that_of_another_program) {
    matrix rows(2, 3);
    rows << 0.0F, -0.0F, 1.0F, -2.5F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::denorm_min();
    const std::string expected = "20294f50b1857f13794d6af42d12b4fc7b5d64add254dbadbb28f5d81e319f51";
    EXPECT_EQ(commitment(rows), expected);
    EXPECT_EQ(commitment(std::span<const float>(rows.data(), 6)), expected);
}

TEST(commitment, is_over_rows_whatever_the_storage) {
    const matrix rows = some_rows(37, 11);
    const std::string whole = commitment(rows);
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor> by_columns = rows;
    EXPECT_EQ(commitment(by_columns), whole);

    matrix wide(37, 30);
    wide.setConstant(7.0F);
    wide.middleCols(5, 11) = rows;
    EXPECT_EQ(commitment(wide.middleCols(5, 11)), whole);
    EXPECT_NE(commitment(wide), whole);
    EXPECT_EQ(commitment(rows.middleRows(3, 9)), commitment(matrix(rows.middleRows(3, 9))));
}

TEST(commitment, of_nothing_is_the_hash_of_nothing) {
    const std::string nothing = to_hex(sha256_of(""));
    EXPECT_EQ(commitment(matrix(0, 8)), nothing);
    EXPECT_EQ(commitment(matrix(8, 0)), nothing);
    EXPECT_EQ(commitment(std::span<const float>()), nothing);
}

// What a big-endian machine does, on this one: the bytes come from the values, not from memory.
TEST(commitment, by_value_is_little_endian) {
    for (const Eigen::Index count : {0, 1, 3, 1023, 1024, 1025, 5000}) {
        const matrix rows = some_rows(1, count);
        const std::span<const float> values(rows.data(), static_cast<std::size_t>(count));
        std::string bytes;
        for (const float value : values) {
            const auto bits = std::bit_cast<std::uint32_t>(value);
            for (const unsigned shift : {0U, 8U, 16U, 24U}) {
                bytes += static_cast<char>(bits >> shift & 0xffU);
            }
        }
        sha256 hasher;
        verify::hash_by_value(hasher, values);
        EXPECT_EQ(hasher.finish(), sha256_of(bytes)) << count;
        verify::hash_floats(hasher, values);
        EXPECT_EQ(hasher.finish(), sha256_of(bytes)) << count;
    }
}

}  // namespace
}  // namespace vembed
