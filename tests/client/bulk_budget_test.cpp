// What a run may spend in all of its processes, and what it learns of a chunk's size.

#include <stop_token>

#include <gtest/gtest.h>

#include "support/bad_weather.hpp"
#include "support/corpus_run.hpp"
#include "support/mortal.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

service_options chunks_of_ten() {
    service_options options;
    options.chunk_size = 10;
    return options;
}

TEST(BulkBudget, HoldsForAllProcessesOfARun) {
    world w{chunks_of_ten()};
    memory_journal journal(std::make_shared<lifetime>());
    for (int process = 0; process < 3; ++process) {
        SCOPED_TRACE(process);
        corpus_run r(200, 20);
        r.bulk.journal = &journal;
        r.bulk.max_chunks = 7;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::chunk_budget);
        EXPECT_LE(w.remote->counters().chunks_charged, 7U);
        EXPECT_NE(report->message.find(" that it may use in all; to buy every row that is left, allow "),
                  std::string::npos)
            << report->message;
    }
    const std::uint64_t spent = w.remote->counters().chunks_charged;
    corpus_run r(200, 20);
    r.bulk.journal = &journal;
    r.bulk.max_chunks = 30;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged - spent);
}

TEST(BulkBudget, OfOneChunkFillsItWhereItsSizeIsSaid) {
    world w{chunks_of_ten()};
    corpus_run r(200, 20);
    r.bulk.max_chunks = 1;
    r.bulk.rows_per_chunk = 10;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::chunk_budget);
    EXPECT_EQ(report->rows_done, 10U);
    EXPECT_EQ(w.remote->counters().chunks_charged, 1U);
    EXPECT_NE(report->message.find("allow 20"), std::string::npos) << report->message;
}

// The first job goes alone and shows what it costs.
TEST(BulkBudget, IsPassedByOneJobAtMostWhereTheSizeThatIsSaidIsWrong) {
    world w{chunks_of_ten()};
    corpus_run r(2'000, 100);
    r.bulk.max_chunks = 30;
    r.bulk.rows_per_chunk = 50;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_per_chunk, 10U);
    EXPECT_EQ(w.remote->counters().chunks_charged, 30U);
    r.expect_true_rows();
}

// Jobs of two chunks each, the third of which never arrives.
class one_lost {
public:
    explicit one_lost(const service_options& options = quick_service(5)) : w(options), r(50) {
        w.net->decide = [](std::uint64_t submission) { return submission == 3 ? fate::cut : fate::pass; };
        r.bulk.jobs_in_flight = 2;
    }

    bad_weather w;
    corpus_run r;
};

TEST(BulkBudget, ABatchThatNeverArrivedIsBoughtInTheSameRunIfItMayWait) {
    one_lost seen;
    seen.r.bulk.wait_unanswered = true;
    const auto report = seen.r.in(seen.w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    ASSERT_EQ(report->unknown.size(), 1U);
    EXPECT_TRUE(report->unknown.front().not_charged);
    EXPECT_GE(seen.w.now(), 2min) << "a job may appear late";
    EXPECT_EQ(seen.w.remote->counters().chunks_charged, 10U);
    seen.r.expect_true_rows();
}

TEST(BulkBudget, TheEndSaysWhenABatchWithoutAnAnswerCanBeDecided) {
    one_lost seen;
    const auto report = seen.r.in(seen.w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches);
    ASSERT_TRUE(report->resume_after);
    EXPECT_GT(*report->resume_after, 2min);
    EXPECT_LT(*report->resume_after, 5min);
}

// No job is under way long enough to show that its charge is seen at once.
service_options instant_service() {
    service_options options = quick_service(5);
    options.settle_delay_ms = 0;
    return options;
}

TEST(BulkBudget, WhereChargesAreNotSeenAtOnceABatchIsDecidedWhenItsJobMustHaveEnded) {
    one_lost told(instant_service());
    const auto undecided = told.r.in(told.w);
    ASSERT_TRUE(undecided) << undecided.error();
    EXPECT_EQ(undecided->reason, stop_reason::parked_batches);
    ASSERT_TRUE(undecided->resume_after);
    EXPECT_GT(*undecided->resume_after, 10min);
    EXPECT_LT(*undecided->resume_after, 13min);

    one_lost waits(instant_service());
    waits.r.bulk.wait_unanswered = true;
    const auto decided = waits.r.in(waits.w);
    ASSERT_TRUE(decided) << decided.error();
    EXPECT_EQ(decided->reason, stop_reason::complete) << decided->message;
    EXPECT_GE(waits.w.now(), 10min);
    EXPECT_EQ(waits.w.remote->counters().chunks_charged, 10U);
    waits.r.expect_true_rows();
}

TEST(BulkBudget, TheEndSaysWhyTheCountCannotDecide) {
    service_options options = quick_service(5);
    options.poison = "row 7 ";
    one_lost seen(options);
    seen.r.bulk.wait_unanswered = true;
    const auto report = seen.r.in(seen.w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
    EXPECT_FALSE(report->resume_after);
    EXPECT_NE(report->message.find("cannot decide about them: a job of the run came to nothing"), std::string::npos)
        << report->message;
    EXPECT_LT(seen.w.now(), 2min) << "it does not wait for what cannot come";
}

// As long as no job has shown it each row may take a chunk.
TEST(BulkBudget, AFirstBatchWithoutAnAnswerIsReportedAtTheSizeKnownAtTheEnd) {
    bad_weather w(quick_service(5));
    w.net->decide = [](std::uint64_t submission) { return submission == 1 ? fate::cut : fate::pass; };
    corpus_run r(50);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    ASSERT_EQ(report->unknown.size(), 1U);
    EXPECT_EQ(report->unknown.front().rows.size(), 10U);
    EXPECT_EQ(report->unknown.front().chunks_estimated, 2U);
}

TEST(BulkBudget, AStopEndsAtOnceIfTheServiceCannotBeReached) {
    bad_weather w(quick_service(5));
    std::stop_source stop;
    w.net->decide = [&w](std::uint64_t) { return w.remote->counters().jobs_created < 4 ? fate::pass : fate::refuse; };
    corpus_run r(200);
    memory_journal journal(std::make_shared<lifetime>());
    r.bulk.journal = &journal;
    r.bulk.jobs_in_flight = 4;
    r.bulk.stop = stop.get_token();
    const auto report = r.in(w, [&](std::uint64_t) {
        if (w.now() > 60s) {
            stop.request_stop();
        }
    });
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::stopped);
    EXPECT_GT(journal.count(batch_state::accepted), 0U);
    EXPECT_LT(w.now(), 140s);
}

TEST(BulkBudget, NothingIsSubmittedToASignInPage) {
    bad_weather w(quick_service(5));
    w.net->decide = [](std::uint64_t) { return fate::portal; };
    corpus_run r(50);
    const auto report = r.in(w);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::network) << report.error();
    EXPECT_EQ(w.net->submissions, 0U);
}

}  // namespace
}  // namespace vembed::testing
