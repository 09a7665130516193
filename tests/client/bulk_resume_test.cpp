// A run whose process dies anywhere, and the run that goes on where it ended.

#include <random>

#include <gtest/gtest.h>

#include <vembed/folder/npy_sink.hpp>
#include "support/corpora.hpp"
#include "support/mortal.hpp"
#include "support/pass_time.hpp"
#include "support/scratch.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

constexpr std::size_t all_rows = 90;

service_options busy_service() {
    service_options options;
    options.settle_delay_ms = 900;
    options.chunk_size = 5;
    options.faults.delay = 0.2;
    return options;
}

bulk_options options_with(run_journal* journal, unknown_policy on_unknown = unknown_policy::park) {
    bulk_options options;
    options.model = "bge-small-v1.5";
    options.rows_per_job = 10;
    options.jobs_in_flight = 4;
    options.journal = journal;
    options.on_unknown = on_unknown;
    options.max_extra_chunks = on_unknown == unknown_policy::resubmit ? 1'000 : 0;
    return options;
}

std::vector<std::string> texts_with_a_bad_one() {
    std::vector<std::string> texts = corpus(all_rows);
    texts[31] = "";
    return texts;
}

struct folder_bytes {
    std::string embeddings;
    std::string ids;
    friend bool operator==(const folder_bytes&, const folder_bytes&) = default;
};

folder_bytes read(const scratch_folder& folder) {
    return {folder.read("embeddings.npy"), folder.read("ids.jsonl")};
}

// What one uninterrupted run leaves and costs.
class reference {
public:
    reference() {
        world w(busy_service());
        vector_source source(texts_with_a_bad_one());
        npy_sink sink(folder.path());
        const auto report = w.run(w.subject->embed_corpus(source, sink, options_with(nullptr)));
        EXPECT_TRUE(report) << report.error();
        files = read(folder);
        chunks = w.remote->counters().chunks_charged;
        EXPECT_GT(files.embeddings.size(), all_rows * 384 * 4);
    }
    scratch_folder folder;
    folder_bytes files;
    std::uint64_t chunks = 0;
};

// One process: it lives until its run ends or `die` says so.
result<bulk_report> live(world& w, const std::string& folder, run_journal& journal, std::shared_ptr<lifetime> life,
                         unknown_policy on_unknown = unknown_policy::park) {
    vector_source source(texts_with_a_bad_one());
    npy_sink on_disk(folder);
    mortal_sink sink(on_disk, life);
    mortal_journal remembered(journal, life);
    auto report = w.run(w.subject->embed_corpus(source, sink, options_with(&remembered, on_unknown)));
    w.subject.reset();  // While source and sink still live.
    w.env->run();
    return report;
}

class totals {
public:
    void add(world& w) {
        for (const auto& [text, times] : w.network->bought) {
            bought[text] += times;
        }
    }
    std::map<std::string, std::uint32_t> bought;
};

// After a death: goes on, then deals with what is unknown, and checks every promise on the way.
void expect_recovery(world& w, const scratch_folder& folder, const std::function<std::unique_ptr<run_journal>()>& open,
                     totals& paid, const reference& wanted) {
    w.restart();
    std::unique_ptr<run_journal> journal = open();
    const auto second = live(w, folder.path(), *journal, std::make_shared<lifetime>());
    ASSERT_TRUE(second) << second.error();
    paid.add(w);
    std::set<std::uint64_t> unknown;
    std::uint64_t extra = 0;
    for (const unknown_batch& batch : second->unknown) {
        unknown.insert(batch.rows.begin(), batch.rows.end());
        extra += batch.chunks_estimated;
    }
    ASSERT_EQ(second->reason, unknown.empty() ? stop_reason::complete : stop_reason::parked_batches) << second->message;
    for (std::size_t row = 0; row < all_rows; ++row) {
        EXPECT_LE(paid.bought[corpus_text(row)], 1U) << "row " << row << " was bought twice";
    }
    if (!unknown.empty()) {
        journal.reset();
        w.restart();
        journal = open();
        const auto third = live(w, folder.path(), *journal, std::make_shared<lifetime>(), unknown_policy::resubmit);
        ASSERT_TRUE(third) << third.error();
        ASSERT_EQ(third->reason, stop_reason::complete) << third->message;
        EXPECT_EQ(third->unknown.size(), second->unknown.size());
        paid.add(w);
    }
    for (std::size_t row = 0; row < all_rows; ++row) {
        const std::uint32_t times = paid.bought[corpus_text(row)];
        EXPECT_LE(times, unknown.contains(row) ? 2U : 1U) << "row " << row;
    }
    EXPECT_EQ(read(folder), wanted.files);
    EXPECT_LE(w.remote->counters().chunks_charged, wanted.chunks + extra);
}

// Hands the same journal out again and again, as a file is opened again and again.
class reopened final : public run_journal {
public:
    explicit reopened(run_journal& to) : to_(&to) {}
    using run_journal::open;
    result<prior_run> open(const run_identity& identity, const prior_visitor& visitor) override {
        return to_->open(identity, visitor);
    }
    result<void> commit(std::span<const journal_change> changes) override { return to_->commit(changes); }
    result<std::optional<journalled_batch>> find(std::uint64_t batch) override { return to_->find(batch); }

private:
    run_journal* to_;
};

TEST(BulkResume, DeathBeforeEveryDurableCall) {
    const reference wanted;
    bool survived = false;
    std::uint64_t recoveries = 0;
    for (std::uint64_t calls = 1; !survived; calls += calls < 40 ? 1 : 4) {
        SCOPED_TRACE("death after " + std::to_string(calls) + " durable calls");
        ASSERT_LT(calls, 1'000U);
        scratch_folder folder;
        world w(busy_service(), calls);
        memory_journal journal(std::make_shared<lifetime>());
        auto life = std::make_shared<lifetime>();
        life->calls_left = calls;
        totals paid;
        const auto first = live(w, folder.path(), journal, life);
        paid.add(w);
        survived = first.has_value();
        if (survived) {
            EXPECT_EQ(first->reason, stop_reason::complete);
            EXPECT_EQ(read(folder), wanted.files);
            break;
        }
        EXPECT_EQ(first.error().kind, errc::io) << first.error();
        const std::uint64_t intents = journal.count(batch_state::intent);
        ++recoveries;
        expect_recovery(
            w, folder, [&journal] { return std::make_unique<reopened>(journal); }, paid, wanted);
        EXPECT_EQ(journal.broken, std::vector<std::string>());
        EXPECT_LE(intents, 4U) << "no more than were being submitted";
        if (HasFatalFailure()) {
            return;
        }
    }
    EXPECT_GT(recoveries, 40U);
}

// The real journal, and deaths at moments that nothing in the program marks.
TEST(BulkResume, DeathAtRandomMomentsWithTheJournalOnDisk) {
    const reference wanted;
    std::mt19937_64 draw(5);
    for (int round = 0; round < 8; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        scratch_folder folder;
        world w(busy_service(), static_cast<std::uint64_t>(round) + 1);
        const auto open = [&folder] { return make_sqlite_journal(folder.file("journal.sqlite")); };
        totals paid;
        {
            auto journal = open();
            auto life = std::make_shared<lifetime>();
            const monotonic_time death =
                deadline_after(w.env->now(), std::chrono::milliseconds(std::uniform_int_distribution(1, 4'000)(draw)));
            vector_source source(texts_with_a_bad_one());
            npy_sink on_disk(folder.path());
            mortal_sink sink(on_disk, life);
            mortal_journal remembered(*journal, life);
            (void)w.run(w.subject->embed_corpus(source, sink, options_with(&remembered)), [&](std::uint64_t) {
                if (w.env->now() >= death) {
                    life->die();
                }
            });
            w.subject.reset();
            w.env->run();
            paid.add(w);
        }
        expect_recovery(w, folder, open, paid, wanted);
        if (HasFatalFailure()) {
            return;
        }
    }
}

// The service forgot the jobs: what was accepted cannot be had any more, and that is no reason to stop.
TEST(BulkResume, JobsTheServiceNoLongerKnowsAreNamed) {
    scratch_folder folder;
    memory_journal journal(std::make_shared<lifetime>());
    service_options options = busy_service();
    options.api_key = "cyb_the_same_in_both";
    {
        world w(options);
        auto life = std::make_shared<lifetime>();
        life->calls_left = 8;
        const auto first = live(w, folder.path(), journal, life);
        ASSERT_FALSE(first);
    }
    const std::uint64_t accepted = journal.count(batch_state::accepted);
    const std::uint64_t intents = journal.count(batch_state::intent);
    ASSERT_GT(accepted, 0U);
    options.seed = 77;
    for (const unknown_policy policy : {unknown_policy::park, unknown_policy::resubmit}) {
        ++options.seed;  // Other job ids: one that the run has already would put both its batches in doubt.
        world w(options);
        // A service may be slow to know its own jobs: only a run ten minutes later takes one for lost.
        const monotonic_time later = deadline_after(w.env->now(), std::chrono::minutes(11));
        ASSERT_TRUE(w.run(testing_support::pass_time(w.env, later)));
        const auto next = live(w, folder.path(), journal, std::make_shared<lifetime>(), policy);
        ASSERT_TRUE(next) << next.error();
        EXPECT_EQ(journal.broken, std::vector<std::string>());
        EXPECT_EQ(next->unknown.size(), accepted + intents);
        EXPECT_EQ(next->reason, policy == unknown_policy::park ? stop_reason::parked_batches : stop_reason::complete);
    }
}

TEST(BulkResume, AnotherCorpusUnderTheSameIdentityIsNoticed) {
    scratch_folder folder;
    memory_journal journal(std::make_shared<lifetime>());
    {
        world w(busy_service());
        auto life = std::make_shared<lifetime>();
        life->calls_left = 8;
        ASSERT_FALSE(live(w, folder.path(), journal, life));
    }
    ASSERT_GT(journal.count(batch_state::accepted), 0U);
    world w(busy_service());
    vector_source shorter({corpus_text(0), corpus_text(1)});
    matrix unused;
    matrix_sink sink(unused);
    const auto report = w.run(w.subject->embed_corpus(shorter, sink, options_with(&journal)));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::folder_mismatch) << report.error();
}

TEST(BulkResume, AFinishedRunHasNothingLeftToBuy) {
    scratch_folder folder;
    memory_journal journal(std::make_shared<lifetime>());
    matrix rows_of_sink;
    world w(busy_service());
    for (int time = 0; time < 2; ++time) {
        vector_source source(texts_with_a_bad_one());
        matrix_sink sink(rows_of_sink);
        const auto report = w.run(w.subject->embed_corpus(source, sink, options_with(&journal)));
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->rows_done, all_rows - 1);
        EXPECT_EQ(report->rows_done_before, time == 0 ? 0 : all_rows - 1);
        EXPECT_EQ(report->rows_failed, 1U);
    }
    EXPECT_EQ(w.remote->counters().jobs_created, 9U);
}

}  // namespace
}  // namespace vembed::testing
