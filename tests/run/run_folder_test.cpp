// run_folder() in virtual time: its folder, its stops, its errors, and what the other functions say of the folder.

#include <gtest/gtest.h>
#include <vembed/audit/row_proofs.hpp>
#include <vembed/audit/verify_folder.hpp>
#include <vembed/folder/export_folder.hpp>
#include <vembed/folder/folder_status.hpp>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/run/run_folder.hpp>

#include "support/corpora.hpp"
#include "support/pass_time.hpp"
#include "support/scratch.hpp"
#include "support/system_client.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

constexpr std::size_t all_rows = 90;
constexpr std::uint64_t rows_per_chunk = 5;

service_options slow_service() {
    service_options options;
    options.settle_delay_ms = 900;
    options.chunk_size = rows_per_chunk;
    return options;
}

std::string lines_of(const std::vector<std::string>& texts) {
    std::string lines;
    for (const std::string& text : texts) {
        lines += text + "\n";
    }
    return lines;
}

class RunFolder : public ::testing::Test {
protected:
    RunFolder() { static_cast<void>(folder.write("corpus.txt", lines_of(corpus(all_rows)))); }

    [[nodiscard]] run_folder_options options(const std::string& name = "out") const {
        run_folder_options made;
        made.inputs = {folder.file("corpus.txt")};
        made.folder = folder.file(name);
        made.bulk.model = "bge-small-v1.5";
        made.bulk.rows_per_job = 10;
        made.bulk.jobs_in_flight = 4;
        return made;
    }

    result<run_folder_report> run(world& w, run_folder_options what) const {
        return w.run(run_folder(*w.subject, std::move(what)));
    }

    void expect_error(world& w, run_folder_options what, errc kind, std::string_view says) const {
        const auto done = run(w, std::move(what));
        ASSERT_FALSE(done) << says;
        EXPECT_EQ(done.error().kind, kind) << done.error();
        EXPECT_NE(done.error().message.find(says), std::string::npos) << done.error();
    }

    scratch_folder folder;
};

TEST_F(RunFolder, LeavesAFolderThatIsVerifiedProvedExportedAndDescribed) {
    world w(slow_service());
    const auto done = run(w, options());
    ASSERT_TRUE(done) << done.error();
    EXPECT_EQ(done->bulk.reason, stop_reason::complete);
    EXPECT_EQ(done->bulk.rows_done, all_rows);
    EXPECT_EQ(w.remote->counters().chunks_charged, all_rows / rows_per_chunk);

    const std::string out = folder.file("out");
    const auto verified = verify_folder(out);
    ASSERT_TRUE(verified) << verified.error();
    EXPECT_EQ(verified->judgement.verdict, check_verdict::verified) << verified->text();
    EXPECT_TRUE(verified->complete);

    const auto status = read_folder_status(out);
    ASSERT_TRUE(status) << status.error();
    EXPECT_EQ(status->state, folder_state::complete);
    EXPECT_EQ(status->rows_total, all_rows);
    EXPECT_EQ(status->rows_done, all_rows);
    EXPECT_EQ(status->rows_left, 0U);
    EXPECT_EQ(status->rows_per_chunk, rows_per_chunk);
    EXPECT_EQ(status->command, "");

    export_options wanted;
    wanted.file = folder.file("out.fbin");
    const auto exported = export_folder(out, wanted);
    ASSERT_TRUE(exported) << exported.error();
    EXPECT_EQ(exported->rows, all_rows);
    EXPECT_EQ(folder.read("out.fbin").size(), 8 + all_rows * exported->dimensions * sizeof(float));

    const auto proof = prove_row(out, 17);
    ASSERT_TRUE(proof) << proof.error();
    row_proof_expectations known;
    known.text = corpus(all_rows)[17];
    EXPECT_EQ(check_row_proof(*proof, known).first_failed(), nullptr);
}

TEST_F(RunFolder, GivesTheBytesOfTheSinkThatItWritesThrough) {
    world w(slow_service());
    ASSERT_TRUE(run(w, options()));
    vector_source source(corpus(all_rows));
    npy_sink sink(folder.file("own"));
    ASSERT_TRUE(w.run(w.subject->embed_corpus(source, sink, options().bulk)));
    for (const char* name : {"embeddings.npy", "ids.jsonl", "rows.sha256", "texts.sha256"}) {
        EXPECT_EQ(folder.read(std::string("out/") + name), folder.read(std::string("own/") + name)) << name;
    }
}

TEST_F(RunFolder, TellsWhatItReadsBeforeAnythingIsSent) {
    world w(slow_service());
    std::vector<std::string> told;
    run_folder_options what = options();
    what.reading.on_input = [&](const corpus_input& seen) {
        told.push_back("input " + seen.first_text.value_or("none"));
        EXPECT_EQ(seen.format, corpus_format::lines);
        EXPECT_FALSE(seen.older_rules);
    };
    what.reading.on_progress = [&](const corpus_progress& seen) {
        told.push_back("progress");
        EXPECT_EQ(seen.bytes_total, folder.read("corpus.txt").size());
    };
    what.reading.on_survey = [&](const corpus_survey& seen) {
        told.push_back("survey of " + std::to_string(seen.rows));
        EXPECT_EQ(w.remote->counters().requests, 0U);
    };
    ASSERT_TRUE(run(w, what));
    EXPECT_EQ(told, (std::vector<std::string>{"input " + corpus(1)[0], "progress", "survey of 90"}));
}

// A process that dies at any moment, here the end of its client, is taken up by the same call. Nothing is bought twice:
// what was on its way and never answered is left in doubt.
TEST_F(RunFolder, GoesOnWhereAProcessDied) {
    const std::uint64_t whole = all_rows / rows_per_chunk;
    for (const std::uint64_t died_at : {1U, 40U, 80U, 160U, 320U}) {
        const std::string name = "died_at_" + std::to_string(died_at);
        world w(slow_service());
        static_cast<void>(w.run(run_folder(*w.subject, options(name)), [&](std::uint64_t events) {
            if (events == died_at) {
                w.subject.reset();
            }
        }));
        w.restart();
        const auto done = run(w, options(name));
        ASSERT_TRUE(done) << done.error();
        EXPECT_LE(w.remote->counters().chunks_charged, whole) << name;
        std::uint64_t in_doubt = 0;
        for (const unknown_batch& batch : done->bulk.unknown) {
            in_doubt += batch.rows.size();
        }
        EXPECT_EQ(done->bulk.rows_done + in_doubt, all_rows) << name;
        EXPECT_EQ(done->bulk.reason, in_doubt == 0 ? stop_reason::complete : stop_reason::parked_batches) << name;
        const auto verified = verify_folder(folder.file(name));
        ASSERT_TRUE(verified) << verified.error();
        EXPECT_NE(verified->judgement.verdict, check_verdict::failed) << verified->text();
        EXPECT_EQ(verified->complete, in_doubt == 0);
    }
}

TEST_F(RunFolder, AStopEndsItInGoodOrderAndTheFolderSaysWhatIsLeft) {
    world w(slow_service());
    std::stop_source stop;
    run_folder_options what = options();
    what.bulk.stop = stop.get_token();
    what.bulk.progress_interval = {};
    what.bulk.on_progress = [&](const progress& state) {
        if (state.rows_done > 0) {
            stop.request_stop();
        }
    };
    what.bulk.max_chunks = 100;
    what.command = {"embed", "corpus.txt", "-o", "out"};
    const auto done = run(w, what);
    ASSERT_TRUE(done) << done.error();
    EXPECT_EQ(done->bulk.reason, stop_reason::stopped);
    const auto status = read_folder_status(folder.file("out"));
    ASSERT_TRUE(status) << status.error();
    EXPECT_EQ(status->state, folder_state::unfinished);
    EXPECT_GT(status->rows_done, 0U);
    EXPECT_EQ(status->rows_done + status->rows_left, all_rows);
    EXPECT_EQ(status->max_chunks, 100U);
    EXPECT_EQ(status->command, "vembed embed corpus.txt -o out");

    export_options wanted;
    wanted.file = folder.file("out.fbin");
    EXPECT_EQ(export_folder(folder.file("out"), wanted).error().kind, errc::run_unfinished);
    what.bulk.stop = {};
    EXPECT_EQ(run(w, what)->bulk.rows_done, all_rows);
}

TEST_F(RunFolder, StopsAndCancellationsEndTheReading) {
    world w(slow_service());
    std::stop_source stop;
    stop.request_stop();
    run_folder_options what = options();
    what.bulk.stop = stop.get_token();
    expect_error(w, what, errc::cancelled, "nothing was submitted");
    call_options call;
    call.stop = stop.get_token();
    EXPECT_EQ(w.run(run_folder(*w.subject, options(), call)).error().kind, errc::cancelled);
    asio::cancellation_signal signal;
    run_folder_options reading = options();
    reading.reading.on_survey = [&](const corpus_survey&) { signal.emit(asio::cancellation_type::terminal); };
    EXPECT_EQ(w.run(run_folder(*w.subject, reading), {}, signal.slot()).error().kind, errc::cancelled);
    EXPECT_EQ(w.remote->counters().jobs_created, 0U);
}

TEST_F(RunFolder, RefusesWhatDoesNotFitBeforeAnythingIsSent) {
    world w(slow_service());
    run_folder_options what = options("");
    what.folder.clear();
    expect_error(w, what, errc::invalid_argument, "needs an output folder");
    what = options();
    const auto journal = make_sqlite_journal(folder.file("other.sqlite"));
    what.bulk.journal = journal.get();
    expect_error(w, what, errc::invalid_argument, "journal and cache are the folder's own");
    what = options();
    what.cache_folder = what.folder;
    expect_error(w, what, errc::invalid_argument, "is the output folder of this command");
    what = options();
    what.inputs = {folder.write("empty.txt", "")};
    expect_error(w, what, errc::bad_input, "the corpus has no rows");
    what.inputs = {folder.file("missing.txt")};
    expect_error(w, what, errc::io, "missing.txt");
    what = options();
    what.reading.on_survey = [](const corpus_survey&) { throw std::runtime_error("no space on the page"); };
    expect_error(w, what, errc::callback_failed, "no space on the page");
    what = options();
    what.bulk.model.clear();
    expect_error(w, what, errc::invalid_argument, "exactly one of a model and a specification");
    EXPECT_EQ(w.remote->counters().jobs_created, 0U);
}

TEST_F(RunFolder, LeavesAFolderOfAnotherCorpusAlone) {
    world w(slow_service());
    ASSERT_TRUE(run(w, options()));
    const std::string noted = folder.read("out/run.json");
    run_folder_options what = options();
    what.inputs = {folder.write("other.txt", "another text\n")};
    expect_error(w, what, errc::folder_mismatch, "");
    EXPECT_EQ(folder.read("out/run.json"), noted);
    std::filesystem::remove(folder.file("out/journal.sqlite"));
    expect_error(w, options(), errc::folder_mismatch, "without the journal.sqlite");
}

TEST_F(RunFolder, BlocksForAClientWithoutALoop) {
    blocking_client client(options_for(std::make_shared<service>(quick_service())));
    const auto done = run_folder(client, options());
    ASSERT_TRUE(done) << done.error();
    EXPECT_EQ(done->bulk.rows_done, all_rows);
}

}  // namespace
}  // namespace vembed::testing
