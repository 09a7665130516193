#include <gtest/gtest.h>

#include "support/world.hpp"

namespace vembed::testing {
namespace {

std::vector<std::string> corpus(std::size_t count) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < count; ++i) {
        made.push_back("row " + std::to_string(i) + " of a corpus");
    }
    return made;
}

bulk_options options_for(std::uint32_t rows_per_job) {
    bulk_options options;
    options.model = "bge-small-v1.5";
    options.rows_per_job = rows_per_job;
    return options;
}

TEST(Bulk, EveryRowLandsAtItsIndex) {
    service_options service;
    service.settle_delay_ms = 500;
    world w{service};
    vector_source source(corpus(2'345));
    matrix rows;
    matrix_sink sink(rows);
    const result<bulk_report> report = w.run(w.subject->embed_corpus(source, sink, options_for(100)));
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    EXPECT_EQ(report->rows_done, 2'345U);
    ASSERT_EQ(rows.rows(), 2'345);
    const result<embeddings> one = w.run(w.subject->embed("bge-small-v1.5", {"row 1234 of a corpus"}));
    ASSERT_TRUE(one) << one.error();
    EXPECT_EQ(rows.row(1234), one->rows.row(0));
}

}  // namespace
}  // namespace vembed::testing
