#include "corpus/survey.hpp"

#include <gtest/gtest.h>

namespace vembed::cli {
namespace {

TEST(defect_of, names_what_the_service_would_refuse) {
    source_row row;
    row.text = "fine";
    EXPECT_EQ(corpus::defect_of(row), "");
    row.text = std::string(65'536, 'x');
    EXPECT_EQ(corpus::defect_of(row), "");
    row.text += 'x';
    EXPECT_NE(corpus::defect_of(row), "");
    row.text = "";
    EXPECT_NE(corpus::defect_of(row), "");
    row.text = "a\xff";
    EXPECT_NE(corpus::defect_of(row), "");
    row.text = "fine";
    row.defect = "not JSON";
    EXPECT_EQ(corpus::defect_of(row), "not JSON");
}

TEST(survey, counts) {
    vector_source source({"one", "two", "", "one", "one", "a\xff", "longest"});
    corpus::survey_options options;
    options.shown_max = 1;
    std::vector<std::uint64_t> good;
    options.see = [&good](std::uint64_t row, const source_row&) -> result<void> {
        good.push_back(row);
        return {};
    };
    const auto seen = corpus::survey(source, options);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->rows, 7u);
    EXPECT_EQ(seen->defective, 2u);
    ASSERT_EQ(seen->defects.size(), 1u);
    EXPECT_EQ(seen->defects[0].row, 2u);
    EXPECT_EQ(seen->text_bytes, 3u * 4 + 7);
    EXPECT_EQ(seen->longest_text, 7u);
    EXPECT_EQ(good, (std::vector<std::uint64_t>{0, 1, 3, 4, 6}));
}

TEST(survey, ends_where_the_one_who_looks_fails) {
    vector_source source({"one", "two"});
    corpus::survey_options options;
    options.see = [](std::uint64_t, const source_row&) -> result<void> { return error(errc::io, "no space"); };
    const auto seen = corpus::survey(source, options);
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().kind, errc::io);
}

TEST(survey, passes_on_a_failure) {
    generator_source source([]() -> std::optional<std::string> { throw std::runtime_error("broken"); });
    const auto seen = corpus::survey(source, corpus::survey_options());
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().kind, errc::callback_failed);
}

}  // namespace
}  // namespace vembed::cli
