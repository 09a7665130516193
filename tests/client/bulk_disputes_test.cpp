// One job id for two submissions, the second of which comes when the first one's rows are written already: those stay
// only if the job's receipt proves that it is about their texts.

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include <vembed/reuse/row_cache.hpp>

#include "support/corpus_run.hpp"
#include "support/falsifier.hpp"
#include "support/mortal.hpp"
#include "support/scratch.hpp"

namespace vembed::testing {
namespace {

/// A run of 5 jobs, one after the other, in which some submissions are answered with the id of another one.
class disputed_run : public remembered_run {
public:
    explicit disputed_run(std::size_t rows = 500) : remembered_run(rows) {
        bulk.on_unknown = unknown_policy::park;
        bulk.jobs_in_flight = 1;
        bulk.deduplicate = true;
    }

    /// The submissions `which`, counted from 1, get `id`, or, where that is empty, the first submission's id.
    void answer_with(false_world& w, std::set<std::uint64_t> which, std::string id = "") {
        w.net->rewrite = [this, which = std::move(which), id = std::move(id)](const std::string& target,
                                                                              std::string& body) {
            if (target != "/jobs") {
                return;
            }
            boost::json::object job = boost::json::parse(body).as_object();
            ++submissions;
            if (first.empty()) {
                first = std::string(job.at("id").as_string());
            }
            if (which.contains(submissions)) {
                job["id"] = id.empty() ? first : id;
                body = boost::json::serialize(job);
            }
        };
    }

    /// What answer_with() gives is the id of a job of somebody else's, with as many texts as a batch.
    void take_id_of_another_job(false_world& w) {
        const result<embeddings> other = w.run(w.subject->embed("bge-small-v1.5", corpus(100)));
        ASSERT_TRUE(other) << other.error();
        first = other->jobs.front().job.id;
    }

    std::string first;
    std::uint64_t submissions = 0;
};

void expect_both_in_doubt(const result<bulk_report>& report, const disputed_run& run) {
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
    EXPECT_EQ(report->rows_done, 300U);
    ASSERT_EQ(report->unknown.size(), 2U);
    for (const unknown_batch& unknown : report->unknown) {
        EXPECT_EQ(unknown.job_id, run.first);
        EXPECT_EQ(unknown.rows.size(), 100U);
        EXPECT_FALSE(unknown.not_charged);
    }
    EXPECT_NE(report->unknown.back().reason.find("taken out again"), std::string::npos)
        << report->unknown.back().reason;
    EXPECT_EQ(run.sink.withdrawn, 100U);
    EXPECT_EQ(run.sink.rows.size(), 300U);
    EXPECT_EQ(run.journal.count(batch_state::unknown), 2U);
    EXPECT_EQ(run.journal.count(batch_state::done), 3U);
    EXPECT_EQ(run.journal.broken, std::vector<std::string>());
    run.expect_true_rows();
}

TEST(BulkDisputes, WrittenRowsGoWhereNothingShowsWhoseTheyAre) {
    for (const verify_level level : {verify_level::none, verify_level::hash, verify_level::receipt}) {
        false_world w;
        disputed_run run;
        run.bulk.verify = level;
        run.answer_with(w, {3});
        expect_both_in_doubt(run.in(w), run);
    }
}

TEST(BulkDisputes, WrittenRowsStayWhereTheReceiptProvesTheirTexts) {
    for (const verify_level level : {verify_level::none, verify_level::receipt, verify_level::offline}) {
        false_world w;
        disputed_run run;
        run.bulk.verify = level;
        run.sink.keeps_texts = level != verify_level::offline;  // There the proof was seen before they were written.
        run.answer_with(w, {3});
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
        EXPECT_EQ(report->rows_done, 400U);
        EXPECT_EQ(report->unknown.size(), 1U);
        EXPECT_EQ(run.sink.withdrawn, 0U);
        EXPECT_EQ(run.journal.count(batch_state::done), 4U);
        run.expect_true_rows();
    }
}

TEST(BulkDisputes, WrongRowsGoWhereTheReceiptIsAboutOtherTexts) {
    false_world w;
    disputed_run run;
    run.bulk.verify = verify_level::none;
    run.sink.keeps_texts = true;
    // The first and the third submission get the id of a job of somebody else's, with as many texts.
    ASSERT_NO_FATAL_FAILURE(run.take_id_of_another_job(w));
    run.answer_with(w, {1, 3});
    expect_both_in_doubt(run.in(w), run);
}

TEST(BulkDisputes, WithoutAJournalTheRowsGoToo) {
    false_world w;
    disputed_run run;
    run.bulk.journal = nullptr;
    run.answer_with(w, {5});
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 300U);
    EXPECT_EQ(report->unknown.size(), 2U);
    EXPECT_EQ(run.sink.rows.size(), 300U);
    EXPECT_EQ(run.sink.rows.begin()->first, 100U);
    run.expect_true_rows();
}

TEST(BulkDisputes, CopiesOfRowsThatGoAreUndone) {
    false_world w;
    disputed_run run;
    for (std::size_t row = 100; row < 120; ++row) {
        run.texts[row] = run.texts[row - 100];  // 20 copies, made as soon as they are read.
    }
    run.answer_with(w, {4});
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->unknown.size(), 2U);
    EXPECT_EQ(report->rows_duplicate, 20U);
    EXPECT_EQ(report->rows_done, run.sink.rows.size());
    for (std::uint64_t row = 0; row < 120; ++row) {
        EXPECT_FALSE(run.sink.rows.contains(row)) << row;
    }
    run.expect_true_rows();
}

TEST(BulkDisputes, RowsThatGoLeaveTheCacheToo) {
    for (const bool sink_keeps_texts : {false, true}) {
        scratch_folder scratch;
        auto cache = row_cache::open(scratch.file("cache"));
        ASSERT_TRUE(cache) << cache.error();
        false_world w;
        disputed_run run;
        run.bulk.cache = cache->get();
        run.bulk.identity.service = "https://service.test";
        run.bulk.identity.model = run.bulk.model;
        run.sink.keeps_texts = sink_keeps_texts;
        ASSERT_NO_FATAL_FAILURE(run.take_id_of_another_job(w));
        run.answer_with(w, {1, 3});
        expect_both_in_doubt(run.in(w), run);
        const auto scope = (*cache)->use("https://service.test", run.bulk.model, "");
        ASSERT_TRUE(scope) << scope.error();
        for (std::uint64_t row = 0; row < 500; ++row) {
            const digest text = sha256_of(run.texts[row]);
            const auto counted = (*cache)->count(*scope, std::span(&text, 1));
            ASSERT_TRUE(counted) << counted.error();
            EXPECT_EQ(*counted == 1, run.sink.rows.contains(row)) << row;
        }
    }
}

TEST(BulkDisputes, RowsOfAnEarlierProcessGoAndALaterOneBuysThem) {
    false_world w;
    disputed_run run;
    run.bulk.max_chunks = 2;
    run.bulk.rows_per_chunk = 100;
    run.answer_with(w, {});
    result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    ASSERT_EQ(report->rows_done, 200U) << report->message;

    run.next_process();
    w.again();
    run.bulk.max_chunks.reset();
    run.answer_with(w, {3});  // The first of this process; the rows of the first process' first job are read by then.
    run.bulk.verify = verify_level::none;
    report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->unknown.size(), 2U);
    EXPECT_EQ(report->rows_done, 300U);
    EXPECT_EQ(run.sink.withdrawn, 100U);
    EXPECT_EQ(run.journal.count(batch_state::unknown), 2U);

    run.next_process();
    w.again();
    run.bulk.on_unknown = unknown_policy::resubmit;
    report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    EXPECT_EQ(run.sink.rows.size(), 500U);
    EXPECT_EQ(run.journal.broken, std::vector<std::string>());
    run.expect_true_rows();
}

// From the commit on that says of the second submission that it is in doubt, the first one's wrong rows are gone for
// whoever goes on, wherever the process dies.
TEST(BulkDisputes, MayDieAnywhere) {
    std::uint64_t told = 0;
    bool survived = false;
    for (std::uint64_t calls = 1; !survived; ++calls) {
        SCOPED_TRACE("death after " + std::to_string(calls) + " durable calls");
        ASSERT_LT(calls, 200U);
        false_world w;
        disputed_run run;
        run.bulk.verify = verify_level::none;
        run.sink.keeps_texts = true;
        ASSERT_NO_FATAL_FAILURE(run.take_id_of_another_job(w));
        run.answer_with(w, {1, 3});
        run.life->calls_left = calls;
        (void)run.in(w);
        survived = !run.life->dead();
        const bool recorded = run.journal.count(batch_state::unknown) > 0;
        run.life->calls_left = lifetime().calls_left;
        run.next_process();
        w.again();
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(run.journal.broken, std::vector<std::string>());
        if (recorded) {
            ++told;
            run.sink.broken.clear();  // What was written and not recorded is written again.
            run.expect_true_rows();
        }
    }
    EXPECT_GE(told, 3U);
}

// The response comes from something in front of the service: the second batch never became a job, and a third one,
// whose response is lost, did.
TEST(BulkDisputes, TheAccountsCountDecidesNothingAnyMore) {
    false_world w;
    disputed_run run;
    run.bulk.verify = verify_level::none;
    run.bulk.sole_use = true;
    std::uint64_t submissions = 0;
    std::string first;
    w.net->answer = [&](const std::string& target) -> std::optional<canned> {
        if (target != "/jobs") {
            return std::nullopt;
        }
        ++submissions;
        return submissions == 2 ? std::optional(canned(201, first)) : std::nullopt;
    };
    w.net->rewrite = [&](const std::string& target, std::string& body) {
        if (target != "/jobs") {
            return;
        }
        if (submissions == 1) {
            first = body;
        } else if (submissions == 3) {
            body = "<html>lost</html>";
        }
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
    EXPECT_EQ(submissions, 5U);
    EXPECT_EQ(w.remote->counters().jobs_created, 4U) << "nothing is bought twice";
    EXPECT_EQ(report->message.find("were not bought"), std::string::npos) << report->message;
    run.expect_true_rows();
}

TEST(BulkDisputes, AReceiptThatCannotBeReadForAMomentIsAskedForAgain) {
    false_world w;
    disputed_run run;
    run.bulk.verify = verify_level::none;
    run.sink.keeps_texts = true;
    run.answer_with(w, {3});
    const auto job_ids = w.net->rewrite;
    std::optional<monotonic_time> asked;
    w.net->rewrite = [&, job_ids](const std::string& target, std::string& body) {
        job_ids(target, body);
        if (target.starts_with("/receipts/")) {
            asked = asked.value_or(w.env->now());
            body = w.env->now() < *asked + std::chrono::seconds(10) ? "<html>busy</html>" : body;
        }
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 400U);
    EXPECT_EQ(run.sink.withdrawn, 0U);
    EXPECT_EQ(run.journal.count(batch_state::done), 4U);
    run.expect_true_rows();
}

// What a run without an index of duplicates bought is not served to its own later rows.
TEST(BulkDisputes, NoRowComesFromTheCacheOutOfAJobThatGoes) {
    scratch_folder scratch;
    auto cache = row_cache::open(scratch.file("cache"));
    ASSERT_TRUE(cache) << cache.error();
    false_world w;
    disputed_run run;
    run.bulk.cache = cache->get();
    run.bulk.deduplicate = false;
    for (std::size_t row = 420; row < 440; ++row) {
        run.texts[row] = run.texts[row - 420];
    }
    ASSERT_NO_FATAL_FAILURE(run.take_id_of_another_job(w));
    run.answer_with(w, {1, 4});
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_cached, 0U);
    EXPECT_EQ(report->unknown.size(), 2U);
    run.expect_true_rows();
}

TEST(BulkDisputes, WhoGoesOnAfterADeathDoesNotFindTheRowsInTheCache) {
    scratch_folder scratch;
    auto cache = row_cache::open(scratch.file("cache"));
    ASSERT_TRUE(cache) << cache.error();
    false_world w;
    disputed_run run;
    run.sink.keeps_texts = true;
    run.bulk.cache = cache->get();
    run.bulk.max_chunks = 2;
    run.bulk.rows_per_chunk = 100;
    ASSERT_NO_FATAL_FAILURE(run.take_id_of_another_job(w));
    run.answer_with(w, {1});
    ASSERT_TRUE(run.in(w));
    ASSERT_TRUE(run.journal.doubt(run.journal.batches.begin()->first));

    run.next_process();
    w.again();
    run.bulk.max_chunks.reset();
    run.bulk.on_unknown = unknown_policy::resubmit;
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
    EXPECT_EQ(run.sink.rows.size(), 500U);
    run.expect_true_rows();
}

// As an earlier version left them, which did not look.
TEST(BulkDisputes, TwoBatchesOfOneIdInTheJournalAreBothLookedAt) {
    for (const bool sink_keeps_texts : {true, false}) {
        for (const batch_state second : {batch_state::done, batch_state::accepted}) {
            false_world w;
            disputed_run run;
            run.sink.keeps_texts = sink_keeps_texts;
            run.bulk.max_chunks = 3;
            run.bulk.rows_per_chunk = 100;
            ASSERT_TRUE(run.in(w));
            ASSERT_EQ(run.journal.count(batch_state::done), 3U);
            journalled_batch& other = run.journal.batches.at(1);
            other.job_id = run.journal.batches.at(0).job_id;
            other.state = second;
            const std::uint64_t first_row = other.rows.front().first;
            for (std::uint64_t row = first_row; row < first_row + 100; ++row) {
                second == batch_state::done ? run.sink.rows[row].assign(384, 1.0F) : void(run.sink.rows.erase(row));
            }

            run.next_process();
            w.again();
            run.bulk.max_chunks.reset();
            const result<bulk_report> report = run.in(w);
            ASSERT_TRUE(report) << report.error();
            EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
            EXPECT_EQ(report->unknown.size(), sink_keeps_texts ? 1U : 2U);
            EXPECT_EQ(report->rows_done, sink_keeps_texts ? 400U : 300U);
            EXPECT_EQ(run.journal.count(batch_state::unknown), report->unknown.size());
            EXPECT_FALSE(run.sink.rows.contains(first_row));
            EXPECT_EQ(run.journal.broken, std::vector<std::string>());
            run.expect_true_rows();
        }
    }
}

TEST(BulkDisputes, AProcessThatDiedBetweenDoubtAndWithdrawalIsMadeGood) {
    false_world w;
    disputed_run run;
    run.bulk.max_chunks = 2;
    run.bulk.rows_per_chunk = 100;
    result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    ASSERT_EQ(run.sink.rows.size(), 200U);
    ASSERT_TRUE(run.journal.doubt(run.journal.batches.begin()->first));

    run.next_process();
    w.again();
    run.bulk.max_chunks.reset();
    report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
    EXPECT_EQ(report->rows_done, 400U);
    EXPECT_EQ(run.sink.withdrawn, 100U);
    EXPECT_EQ(run.sink.rows.begin()->first, 100U);
    run.expect_true_rows();
}

}  // namespace
}  // namespace vembed::testing
