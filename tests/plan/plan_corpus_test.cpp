// plan_corpus(): what it counts, what it asks, and what it says where the service has no answer.

#include <gtest/gtest.h>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/plan/plan_corpus.hpp>

#include "support/corpora.hpp"
#include "support/scratch.hpp"
#include "support/system_client.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

class PlanCorpus : public ::testing::Test {
protected:
    [[nodiscard]] plan_corpus_options options(std::string_view lines = "one\ntwo\none\n\nthree\n") const {
        plan_corpus_options made;
        made.inputs = {folder.write("corpus.txt", lines)};
        made.model = "bge-small-v1.5";
        return made;
    }

    scratch_folder folder;
};

TEST_F(PlanCorpus, CountsWithoutAService) {
    const auto made = plan_corpus(options());
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->seen.rows, 5U);
    EXPECT_EQ(made->seen.blank, 1U);
    EXPECT_EQ(made->duplicates, 1U);
    ASSERT_EQ(made->purchases.size(), 2U);
    EXPECT_EQ(made->purchases.front().rows, 3U);
    EXPECT_EQ(made->purchases.front().chunks, 3U);
    EXPECT_EQ(made->purchases.back().chunks, 1U);
    EXPECT_FALSE(made->chunk_size_known());
    EXPECT_FALSE(made->account);
    EXPECT_FALSE(made->trouble);
    EXPECT_FALSE(made->output);
}

TEST_F(PlanCorpus, AsksForTheAccountAndTheModel) {
    world w({});
    plan_corpus_options what = options();
    what.rows_per_chunk = 2;
    const auto made = w.run(plan_corpus(*w.subject, what));
    ASSERT_TRUE(made) << made.error();
    ASSERT_TRUE(made->account);
    EXPECT_EQ(made->chunk_size_from, chunk_size_origin::caller);
    ASSERT_EQ(made->purchases.size(), 1U);
    EXPECT_EQ(made->purchases.front().chunks, 2U);
    EXPECT_TRUE(made->purchases.front().finish);
    EXPECT_EQ(made->dimensions, 384U);
    EXPECT_GT(made->output->whole, 5U * 384 * sizeof(float));
    EXPECT_EQ(w.remote->counters().jobs_created, 0U);
}

TEST_F(PlanCorpus, AModelThatIsNotTheServicesIsTroubleAndNoError) {
    world w({});
    plan_corpus_options what = options();
    what.model = "no-such-model";
    const auto made = w.run(plan_corpus(*w.subject, what));
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->seen.rows, 5U);
    ASSERT_TRUE(made->trouble);
    EXPECT_EQ(made->trouble->kind, errc::unknown_model);
}

TEST_F(PlanCorpus, ARefusedKeyIsTroubleAndNoError) {
    world w({});
    client_options wrong;
    wrong.api_key = secret::from_key("cyb_trial_00000000000000000000000000000000").value();
    w.restart(std::move(wrong));
    const auto made = w.run(plan_corpus(*w.subject, options()));
    ASSERT_TRUE(made) << made.error();
    ASSERT_TRUE(made->trouble);
    EXPECT_EQ(made->trouble->kind, errc::unauthorized);
    EXPECT_FALSE(made->account);
}

TEST_F(PlanCorpus, ErrorsAndStops) {
    plan_corpus_options what = options();
    what.inputs = {folder.file("missing.txt")};
    EXPECT_EQ(plan_corpus(what).error().kind, errc::io);
    std::stop_source stop;
    stop.request_stop();
    what = options();
    what.stop = stop.get_token();
    EXPECT_EQ(plan_corpus(what).error().kind, errc::cancelled);
    what = options();
    what.reading.on_input = [](const corpus_input&) { throw std::runtime_error("the page is full"); };
    EXPECT_EQ(plan_corpus(what).error().kind, errc::callback_failed);
    what = options();
    what.folder = folder.file("out");
    what.cache_folder = folder.file("out");
    EXPECT_EQ(plan_corpus(what).error().kind, errc::invalid_argument);
}

TEST_F(PlanCorpus, AFolderThatIsNotThereIsNoted) {
    plan_corpus_options what = options();
    what.folder = folder.file("out");
    const auto made = plan_corpus(what);
    ASSERT_TRUE(made) << made.error();
    EXPECT_NE(made->note.find("no run was begun"), std::string::npos) << made->note;
}

// A row that made its job fail, and its copy, which failed with it. A row that the run has not seen yet is to be
// bought.
TEST_F(PlanCorpus, RowsThatFailedInTheRunAreNotToBeBoughtAgain) {
    const auto journal = make_sqlite_journal(folder.file("out/journal.sqlite"));
    plan_corpus_options what = options("one\nbad\ntwo\nbad\n\nthree\ntwo\n");
    what.folder = folder.file("out");
    run_identity identity;
    identity.corpus = fingerprint_files(what.inputs).value();
    ASSERT_TRUE(journal->open(identity));
    ASSERT_TRUE(journal->intend(1, {{0, 1}, {2, 3}}, 1));
    ASSERT_TRUE(journal->accept(1, "job", 1));
    ASSERT_TRUE(journal->complete(1));
    for (const std::uint64_t row : {1U, 3U, 4U}) {
        ASSERT_TRUE(journal->fail_row(row));
    }
    const auto made = plan_corpus(what);
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->bought, 2U);
    EXPECT_EQ(made->failed, 2U);
    EXPECT_EQ(made->duplicates, 1U);
    EXPECT_EQ(made->purchases.front().rows, 1U);
}

TEST_F(PlanCorpus, BlocksForAClientWithoutALoop) {
    blocking_client client(options_for(std::make_shared<service>(quick_service())));
    const auto made = plan_corpus(client, options());
    ASSERT_TRUE(made) << made.error();
    EXPECT_TRUE(made->account);
}

}  // namespace
}  // namespace vembed::testing
