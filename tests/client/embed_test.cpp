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

// Each way to write texts, in a coroutine: what g++ 12 makes of temporaries there is what this is about.
asio::awaitable<result<int>> embed_each_way(client* subject, std::vector<embeddings>* seen) {
    const std::string held = "a text that is too long to be kept within the string itself";
    const std::string_view view = held;
    std::vector<std::string> several(3, held);
    seen->push_back((co_await subject->embed("bge-small-v1.5", {"hello", "world"})).value());
    seen->push_back((co_await subject->embed("bge-small-v1.5", "hello")).value());
    seen->push_back((co_await subject->embed("bge-small-v1.5", held)).value());
    seen->push_back((co_await subject->embed("bge-small-v1.5", {view, held, "hello"})).value());
    seen->push_back((co_await subject->embed("bge-small-v1.5", several)).value());
    seen->push_back((co_await subject->embed("bge-small-v1.5", {"hello"})).value());
    co_return 0;
}

TEST(Embed, TakesTextsInEachWayTheyAreWritten) {
    world w{service_options()};
    std::vector<embeddings> seen;
    const result<int> done = w.run(embed_each_way(&*w.subject, &seen));
    ASSERT_TRUE(done) << done.error();
    ASSERT_EQ(seen.size(), 6U);
    std::vector<Eigen::Index> rows;
    for (const embeddings& one : seen) {
        rows.push_back(one.rows.rows());
    }
    EXPECT_EQ(rows, (std::vector<Eigen::Index>{2, 1, 1, 3, 3, 1}));
    const auto row = [&seen](std::size_t call, Eigen::Index number) { return seen.at(call).rows.row(number); };
    EXPECT_EQ(row(0, 0), row(1, 0));
    EXPECT_EQ(row(3, 0), row(2, 0));
    EXPECT_EQ(row(3, 1), row(2, 0));
    EXPECT_EQ(row(3, 2), row(0, 0));
    EXPECT_EQ(row(4, 2), row(2, 0));
    EXPECT_EQ(row(5, 0), row(0, 0));
    EXPECT_NE(row(0, 1), row(0, 0));
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
