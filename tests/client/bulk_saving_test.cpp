// Bulk runs that buy as little as they can: whole chunks, each text once, the rows at fault found, unanswered
// submissions judged by the account's count.

#include <algorithm>

#include <gtest/gtest.h>
#include <vembed/reuse/row_cache.hpp>

#include "support/corpus_run.hpp"
#include "support/mortal.hpp"
#include "support/scratch.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

class saving_run : public corpus_run {
public:
    explicit saving_run(std::vector<std::string> lines, std::uint32_t rows_per_job = 100)
        : corpus_run(std::move(lines), rows_per_job) {}
};

// Every row of `rows`, of which three in ten repeat an earlier one, near or far.
std::vector<std::string> with_duplicates(std::size_t rows) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < rows; ++i) {
        const bool repeats = i % 10 == 3 || i % 10 == 6 || i % 10 == 9;
        const std::size_t far = (i * 7919) % (i + 1);
        texts.push_back(repeats ? texts[i % 2 == 0 ? i - 1 : std::min(far, i - 1)] : corpus_text(i));
    }
    return texts;
}

service_options chunks_of(std::uint32_t size, std::uint32_t settle_delay_ms = 400) {
    service_options options;
    options.chunk_size = size;
    options.settle_delay_ms = settle_delay_ms;
    return options;
}

TEST(BulkSaving, ATextIsBoughtOnce) {
    world w{chunks_of(10)};
    saving_run r(with_duplicates(1'000));
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->rows_done, 1'000U);
    EXPECT_EQ(report->rows_duplicate, 300U);
    EXPECT_EQ(r.sink.rows.size(), 1'000U);
    EXPECT_EQ(r.sink.copied.size(), 300U);
    EXPECT_LE(w.remote->counters().chunks_charged, 71U) << "thirty in a hundred less than 100, give or take one";
    EXPECT_EQ(report->chunks_naive, 100U);
    r.expect_true_rows();
    for (const auto& [text, times] : w.network->bought) {
        EXPECT_EQ(times, 1U) << text;
    }
}

TEST(BulkSaving, DuplicatesAreBoughtWhereTheSinkCannotCopyOrIsNotAskedTo) {
    for (const bool asked : {true, false}) {
        world w{chunks_of(10)};
        saving_run r(with_duplicates(200));
        r.bulk.deduplicate = asked;
        r.sink.can_copy_rows = !asked;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->rows_duplicate, 0U);
        EXPECT_EQ(report->chunks_used, 20U);
        r.expect_true_rows();
    }
}

TEST(BulkSaving, DuplicatesShareTheFailureOfTheirText) {
    service_options options = chunks_of(10);
    options.poison = "number 0";
    world w{options};
    std::vector<std::string> texts = corpus(100);
    texts[70] = texts[0];
    texts[71] = texts[0];
    saving_run r(texts);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_failed, 3U);
    ASSERT_TRUE(r.sink.failed.contains(70));
    EXPECT_NE(r.sink.failed.at(70).message.find("row 0"), std::string::npos) << r.sink.failed.at(70);
    EXPECT_EQ(r.sink.rows.size(), 97U);
    r.expect_true_rows();
}

TEST(BulkSaving, ChunksAreFilled) {
    world w{chunks_of(30)};
    saving_run r(corpus(1'000));
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_per_chunk, 30U);
    EXPECT_EQ(report->chunks_naive, 40U) << "ten jobs of a hundred rows, four chunks each";
    EXPECT_LE(report->chunks_used, 35U) << "34 at best, and the first job did not know";
    EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged);
    r.expect_true_rows();
}

TEST(BulkSaving, OnePoisonedRowAmongTenThousandIsFound) {
    for (const bool refused : {false, true}) {
        SCOPED_TRACE(refused ? "refused with 400" : "its job ends FAILED");
        service_options options = chunks_of(100);
        options.poison = "row 4321 ";
        options.poison_is_refused = refused;
        world w{options};
        saving_run r(corpus(10'000), 1'000);
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::complete);
        EXPECT_EQ(report->rows_done, 9'999U);
        ASSERT_EQ(r.sink.failed.size(), 1U);
        EXPECT_TRUE(r.sink.failed.contains(4'321));
        EXPECT_LE(report->narrowing_chunks, 14U) << "two halves, seven times";
        EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged);
        r.expect_true_rows();
    }
}

TEST(BulkSaving, NarrowingKeepsToItsBudget) {
    for (const std::uint64_t budget : {0U, 1U, 5U, 40U}) {
        SCOPED_TRACE(budget);
        service_options options = chunks_of(50);
        options.poison = "1 of a corpus";  // One row in ten.
        world w{options};
        saving_run r(corpus(500));
        r.bulk.max_narrowing_chunks = budget;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_LE(report->narrowing_chunks, budget);
        EXPECT_EQ(report->rows_done + report->rows_failed, 500U);
        EXPECT_GE(report->rows_failed, 50U);
        EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged);
        r.expect_true_rows();
    }
}

// A cache folder over several runs of one world.
class CachedRuns : public ::testing::Test {
protected:
    result<bulk_report> run(world& w, saving_run& r) {
        auto cache = row_cache::open(folder.path() + "/cache");
        EXPECT_TRUE(cache) << cache.error();
        r.bulk.cache = cache->get();
        return r.in(w);
    }
    scratch_folder folder;
};

TEST_F(CachedRuns, TheSecondCostsNothing) {
    world w{chunks_of(10)};
    saving_run first(with_duplicates(500));
    const auto bought = run(w, first);
    ASSERT_TRUE(bought) << bought.error();
    EXPECT_EQ(bought->rows_cached, 0U);
    saving_run second(first.texts);
    const auto served = run(w, second);
    ASSERT_TRUE(served) << served.error();
    EXPECT_EQ(served->reason, stop_reason::complete);
    EXPECT_EQ(served->rows_done, 500U);
    EXPECT_EQ(served->rows_cached, 350U) << "and 150 copies of them";
    EXPECT_EQ(served->chunks_used, 0U);
    EXPECT_EQ(served->dimensions, 384U);
    EXPECT_EQ(served->spec_hash, bought->spec_hash);
    EXPECT_EQ(w.remote->counters().chunks_charged, bought->chunks_used);
    second.expect_true_rows();
}

TEST_F(CachedRuns, OnlyWhatIsNewIsBought) {
    world w{chunks_of(10)};
    saving_run first(corpus(300));
    ASSERT_TRUE(run(w, first));
    saving_run second(corpus(400));
    const auto report = run(w, second);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_cached, 300U);
    EXPECT_EQ(report->chunks_used, 10U);
    second.expect_true_rows();
}

TEST_F(CachedRuns, RowsOfTwoModelsNeverMix) {
    service_options options = chunks_of(10);
    options.model_changes_after_jobs = 3;
    world w{options};
    saving_run first(corpus(300));
    ASSERT_TRUE(run(w, first));
    saving_run second(corpus(400));
    const auto report = run(w, second);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::model_changed) << report.error();
}

TEST_F(CachedRuns, WithoutReceiptsNothingIsKept) {
    world w{chunks_of(10)};
    for (int i = 0; i < 2; ++i) {
        saving_run r(corpus(100));
        r.bulk.verify = verify_level::hash;
        const auto report = run(w, r);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->chunks_used, 10U);
    }
}

TEST(BulkSaving, AnotherModelUnderTheSameNameEndsTheRun) {
    service_options options = chunks_of(10);
    options.model_changes_after_jobs = 4;
    world w{options};
    saving_run r(corpus(1'000));
    r.bulk.jobs_in_flight = 2;
    memory_journal journal(std::make_shared<lifetime>());
    r.bulk.journal = &journal;
    const auto report = r.in(w);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::model_changed) << report.error();
    EXPECT_LE(r.sink.rows.size(), 400U);
    EXPECT_EQ(journal.broken, std::vector<std::string>());
    EXPECT_FALSE(journal.facts.spec_hash.empty());
    // Nor does a later process get past it.
    w.restart();
    saving_run again(r.texts);
    again.bulk.journal = &journal;
    const auto second = again.in(w);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, errc::model_changed);
}

TEST(BulkSaving, WaitsForTheQuotaWhereAskedTo) {
    service_options options = chunks_of(10);
    options.account_tier = tier::trial;  // 100 chunks a day, 400 a period
    world w{options};
    saving_run r(corpus(3'000));
    r.bulk.wait_for_quota = true;
    std::string waited_for;
    r.bulk.progress_interval = 1h;
    r.bulk.on_progress = [&waited_for](const progress& now) {
        waited_for = now.limited_by.empty() ? waited_for : now.limited_by;
    };
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->rows_done, 3'000U);
    EXPECT_GT(w.now(), 48h);
    EXPECT_LT(w.now(), 49h);
    EXPECT_NE(waited_for.find("day quota"), std::string::npos) << waited_for;
    r.expect_true_rows();
}

TEST(BulkSaving, AStopEndsAWaitForQuota) {
    service_options options = chunks_of(10);
    options.account_tier = tier::trial;
    world w{options};
    saving_run r(corpus(3'000));
    r.bulk.wait_for_quota = true;
    std::stop_source stop;
    r.bulk.stop = stop.get_token();
    r.bulk.progress_interval = 1h;
    r.bulk.on_progress = [&](const progress& now) {
        if (now.elapsed > 10h) {
            stop.request_stop();
        }
    };
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::stopped);
    EXPECT_EQ(report->rows_done, 1'000U);
    EXPECT_LT(w.now(), 12h);
}

// Jobs of an earlier process count against the cap of this one.
TEST(BulkSaving, JobsTakenUpAgainCountAsInFlight) {
    service_options options = chunks_of(10, 60'000);
    options.max_inflight = 3;
    client_options known;
    known.throttle.jobs_in_flight = 3;
    world w{options, 1, known};
    memory_journal journal(std::make_shared<lifetime>());
    saving_run first(corpus(2'000));
    first.bulk.journal = &journal;
    call_options soon;
    soon.timeout = 20s;
    vector_source source(first.texts);
    const auto cut_off = w.run(w.subject->embed_corpus(source, first.sink, first.bulk, soon));
    ASSERT_FALSE(cut_off);
    ASSERT_EQ(journal.count(batch_state::accepted), 3U);
    w.restart(known);
    saving_run second(first.texts);
    second.bulk.journal = &journal;
    const auto report = second.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 2'000U);
    EXPECT_EQ(w.remote->counters().replies_rate_limited, 0U);
    EXPECT_EQ(w.remote->counters().chunks_charged, 200U);
}

// Responses and requests are lost; the account's count tells which submissions never became jobs, as long as nothing
// else disturbs it.
TEST(BulkSaving, TheAccountsCountDecidesAboutUnansweredSubmissions) {
    std::uint64_t decided = 0;
    std::uint64_t parked = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        service_options options = chunks_of(10, 50'000);
        options.seed = seed;
        options.faults.drop = 0.08;
        world w{options, seed};
        saving_run r(corpus(600));
        r.bulk.jobs_in_flight = 3;
        r.bulk.wait_unanswered = true;
        const auto report = r.in(w);
        if (!report) {
            continue;  // The account could not be read at all.
        }
        std::uint64_t perhaps = 0;
        for (const unknown_batch& unknown : report->unknown) {
            decided += unknown.not_charged ? 1 : 0;
            parked += unknown.not_charged || unknown.resubmitted ? 0 : 1;
            perhaps += unknown.not_charged ? 0 : unknown.chunks_estimated;
        }
        EXPECT_GE(w.remote->counters().chunks_charged, report->chunks_used);
        EXPECT_LE(w.remote->counters().chunks_charged, report->chunks_used + perhaps)
            << "what was called not charged was charged";
        r.expect_true_rows();
    }
    EXPECT_GE(decided, 3U);
    EXPECT_GT(parked, 5U) << "where one of several was charged, the count decides nothing";
}

}  // namespace
}  // namespace vembed::testing
