#include "cli/corpus_input.hpp"

#include <gtest/gtest.h>

namespace vembed::cli {
namespace {

TEST(defect_of, names_what_the_service_would_refuse) {
    source_row row;
    row.text = "fine";
    EXPECT_EQ(defect_of(row), "");
    row.text = std::string(65'536, 'x');
    EXPECT_EQ(defect_of(row), "");
    row.text += 'x';
    EXPECT_NE(defect_of(row), "");
    row.text = "";
    EXPECT_NE(defect_of(row), "");
    row.text = "a\xff";
    EXPECT_NE(defect_of(row), "");
    row.text = "fine";
    row.defect = "not JSON";
    EXPECT_EQ(defect_of(row), "not JSON");
}

TEST(survey, counts) {
    vector_source source({"one", "two", "", "one", "one", "a\xff", "longest"});
    survey_options options;
    options.rows_per_job = 2;
    options.count_duplicates = true;
    options.shown_max = 1;
    const auto seen = survey(source, options);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->rows, 7u);
    EXPECT_EQ(seen->defective, 2u);
    ASSERT_EQ(seen->defects.size(), 1u);
    EXPECT_EQ(seen->defects[0].row, 2u);
    EXPECT_EQ(seen->text_bytes, 3u * 4 + 7);
    EXPECT_EQ(seen->longest_text, 7u);
    EXPECT_EQ(seen->duplicates, 2u);
    EXPECT_EQ(seen->jobs, 3u);
}

TEST(survey, packs_jobs_by_bytes_too) {
    vector_source source({"12345", "12345", "123456789012", "1", "1"});
    survey_options options;
    options.max_job_bytes = 10;
    const auto seen = survey(source, options);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->jobs, 3u);
    EXPECT_FALSE(seen->duplicates);
}

TEST(survey, passes_on_a_failure) {
    generator_source source([]() -> std::optional<std::string> { throw std::runtime_error("broken"); });
    const auto seen = survey(source, survey_options());
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().kind, errc::callback_failed);
}

}  // namespace
}  // namespace vembed::cli
