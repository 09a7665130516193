// matrix_sink: rows in any order end as one matrix.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <vembed/bulk/sink.hpp>

namespace vembed {
namespace {

result<void> write(matrix_sink& sink, std::vector<std::uint64_t> indices, std::vector<float> values,
                   std::uint64_t dimensions) {
    row_batch batch;
    batch.indices = std::move(indices);
    batch.values = values;
    batch.dimensions = dimensions;
    return sink.write(batch);
}

failed_row failed_at(std::uint64_t index) {
    failed_row row;
    row.index = index;
    return row;
}

TEST(matrix_sink, rows_come_in_any_order) {
    matrix m = matrix::Ones(2, 7);
    matrix_sink sink(m);
    ASSERT_TRUE(sink.declare_row(0, source_row()));
    ASSERT_TRUE(write(sink, {2, 3}, {20, 21, 30, 31}, 2));
    ASSERT_TRUE(sink.fail(failed_at(1)));
    ASSERT_TRUE(write(sink, {0}, {0, 1}, 2));
    ASSERT_TRUE(write(sink, {5}, {50, 51}, 2));
    ASSERT_TRUE(write(sink, {4}, {40, 41}, 2));
    ASSERT_TRUE(sink.flush());
    ASSERT_TRUE(sink.finish(6, 2));
    ASSERT_EQ(m.rows(), 6);
    ASSERT_EQ(m.cols(), 2);
    for (const int row : {0, 2, 3, 4, 5}) {
        EXPECT_EQ(m(row, 0), static_cast<float>(row * 10));
        EXPECT_EQ(m(row, 1), static_cast<float>(row * 10 + 1));
    }
    EXPECT_TRUE(std::isnan(m(1, 0)) && std::isnan(m(1, 1)));
    ASSERT_EQ(sink.failed().size(), 1u);
    EXPECT_EQ(sink.failed()[0].index, 1u);
}

TEST(matrix_sink, rows_that_are_withdrawn_are_nan_with_their_copies) {
    matrix m;
    matrix_sink sink(m);
    EXPECT_EQ(sink.withdraw(std::vector<std::uint64_t>{0, 1}).value(), 0u) << "nothing is written yet";
    ASSERT_TRUE(write(sink, {0, 1, 2}, {0, 1, 10, 11, 20, 21}, 2));
    ASSERT_TRUE(sink.copy(1, 3));
    ASSERT_TRUE(sink.copy(2, 4));
    ASSERT_TRUE(sink.copy(1, 5));
    EXPECT_EQ(sink.withdraw(std::vector<std::uint64_t>{0, 1, 99}).value(), 2u);
    EXPECT_EQ(sink.withdraw(std::vector<std::uint64_t>{0, 1, 99}).value(), 0u) << "a second time";
    for (const int row : {0, 1, 3, 5}) {
        EXPECT_TRUE(std::isnan(m(row, 0)) && std::isnan(m(row, 1))) << row;
    }
    EXPECT_EQ(m(2, 0), 20.0f);
    EXPECT_EQ(m(4, 1), 21.0f);
    EXPECT_FALSE(sink.keeps_digests());
    EXPECT_FALSE(sink.digests_of(std::vector<std::uint64_t>{2}).value());
    ASSERT_TRUE(write(sink, {1}, {12, 13}, 2));
    ASSERT_TRUE(sink.copy(1, 3));
    EXPECT_EQ(m(3, 1), 13.0f);
}

TEST(matrix_sink, copies_rows) {
    matrix m;
    matrix_sink sink(m);
    EXPECT_TRUE(sink.can_copy());
    EXPECT_FALSE(sink.copy(0, 1));
    ASSERT_TRUE(write(sink, {1}, {10, 11}, 2));
    ASSERT_TRUE(sink.copy(1, 0));
    ASSERT_TRUE(sink.copy(1, 4));
    ASSERT_TRUE(sink.copy(1, 4));
    EXPECT_FALSE(sink.copy(1, 1));
    EXPECT_FALSE(sink.copy(1'000'000, 1));
    EXPECT_FALSE(sink.copy(1, std::numeric_limits<std::uint64_t>::max()));
    ASSERT_TRUE(write(sink, {2, 3}, {20, 21, 30, 31}, 2));
    ASSERT_TRUE(sink.finish(5, 2));
    for (const int row : {0, 1, 4}) {
        EXPECT_EQ(m(row, 0), 10);
        EXPECT_EQ(m(row, 1), 11);
    }
    EXPECT_EQ(m(3, 1), 31);
}

TEST(matrix_sink, only_failures_give_rows_without_columns) {
    matrix m;
    matrix_sink sink(m);
    ASSERT_TRUE(sink.fail(failed_at(0)));
    ASSERT_TRUE(sink.finish(3, 0));
    EXPECT_EQ(m.rows(), 3);
    EXPECT_EQ(m.cols(), 0);
}

TEST(matrix_sink, a_trailing_failed_row_is_nan) {
    matrix m;
    matrix_sink sink(m);
    ASSERT_TRUE(write(sink, {0}, {1, 2, 3}, 3));
    ASSERT_TRUE(sink.fail(failed_at(1)));
    ASSERT_TRUE(sink.finish(2, 3));
    EXPECT_EQ(m(0, 2), 3.0f);
    EXPECT_TRUE(std::isnan(m(1, 0)));
}

TEST(matrix_sink, calls_that_break_the_rules_are_refused) {
    matrix m;
    matrix_sink sink(m);
    EXPECT_EQ(write(sink, {0}, {1, 2, 3}, 2).error().kind, errc::invalid_argument);
    EXPECT_EQ(write(sink, {0}, {}, 0).error().kind, errc::invalid_argument);
    EXPECT_EQ(write(sink, {std::numeric_limits<std::uint64_t>::max()}, {1}, 1).error().kind, errc::invalid_argument);
    EXPECT_EQ(write(sink, {std::uint64_t{1} << 62}, {1, 2}, 2).error().kind, errc::invalid_argument);
    ASSERT_TRUE(write(sink, {0}, {1, 2}, 2));
    EXPECT_EQ(write(sink, {1}, {1, 2, 3}, 3).error().kind, errc::invalid_argument);
    EXPECT_EQ(sink.finish(1, 3).error().kind, errc::invalid_argument);
    ASSERT_TRUE(sink.fail(failed_at(9)));
    EXPECT_EQ(sink.finish(1, 2).error().kind, errc::invalid_argument);
}

}  // namespace
}  // namespace vembed
