#include <gtest/gtest.h>

#include "support/world.hpp"

namespace vembed::testing {
namespace {

std::vector<std::string> texts(std::size_t count) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < count; ++i) {
        made.push_back("text number " + std::to_string(i));
    }
    return made;
}

TEST(Embed, GivesOneRowATextWithItsProof) {
    world w{service_options()};
    const result<embeddings> e = w.run(w.subject->embed("bge-large-v1.5", texts(3)));
    ASSERT_TRUE(e) << e.error();
    EXPECT_EQ(e->rows.rows(), 3);
    EXPECT_EQ(e->rows.cols(), 1024);
    EXPECT_NEAR(e->rows.row(0).norm(), 1.0F, 1e-3F);
    ASSERT_EQ(e->jobs.size(), 1U);
    EXPECT_TRUE(e->jobs[0].verification.valid);
    EXPECT_EQ(e->jobs[0].receipt.job_id, e->jobs[0].job.id);
}

TEST(Embed, SplitsMoreThanOneJobsWorthAndKeepsTheOrder) {
    service_options options;
    options.settle_delay_ms = 700;
    world w{options};
    const result<embeddings> all = w.run(w.subject->embed("bge-small-v1.5", texts(2300)));
    ASSERT_TRUE(all) << all.error();
    ASSERT_EQ(all->jobs.size(), 3U);
    const result<embeddings> one = w.run(w.subject->embed("bge-small-v1.5", {"text number 2299"}));
    ASSERT_TRUE(one) << one.error();
    EXPECT_EQ(all->rows.row(2299), one->rows.row(0));
}

TEST(Embed, RefusesNoTexts) {
    world w{service_options()};
    const result<embeddings> e = w.run(w.subject->embed("bge-small-v1.5", {}));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::invalid_argument);
}

}  // namespace
}  // namespace vembed::testing
