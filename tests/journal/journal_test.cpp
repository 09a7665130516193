// The SQLite journal: what it remembers, what it refuses, and that it can tell when it cannot be trusted.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <vembed/journal/journal.hpp>

#include "journal/journal_aids.hpp"
#include "journal/journal_reading.hpp"
#include "support/repetitions.hpp"
#include "support/scratch.hpp"

namespace {
int syncs = 0;
}  // namespace

// Take the place of the C library's, also for SQLite, so that a test can count them.
extern "C" int fdatasync(int fd) {
    ++syncs;
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
    ++syncs;
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace vembed {
namespace {

using testing::scratch_folder;

wall_time at(std::int64_t seconds) {
    return wall_time(std::chrono::seconds(seconds));
}

template <class T>
void expect_failure(const result<T>& r, errc kind, std::string_view said) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind, kind) << r.error();
    EXPECT_NE(r.error().message.find(said), std::string::npos) << r.error();
}

prior_run reopen(const std::string& path) {
    auto journal = make_sqlite_journal(path);
    auto prior = journal->open(testing::some_identity());
    EXPECT_TRUE(prior) << prior.error();
    return prior ? *prior : prior_run();
}

void run_sql(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_free(message);
    sqlite3_close(db);
}

TEST(journal, remembers_every_state) {
    scratch_folder scratch;
    const auto path = scratch.file("new/folder/journal.sqlite");
    {
        auto journal = make_sqlite_journal(path);
        auto prior = journal->open(testing::some_identity());
        ASSERT_TRUE(prior) << prior.error();
        EXPECT_TRUE(prior->batches.empty());
        for (std::uint64_t b = 0; b < 6; ++b) {
            ASSERT_TRUE(journal->intend(b, {{b * 10, b * 10 + 5}, {b * 10 + 7, b * 10 + 8}}, 3));
        }
        ASSERT_TRUE(journal->accept(1, "job_1", 4));
        ASSERT_TRUE(journal->accept(2, "job_2", 5));
        ASSERT_TRUE(journal->complete(2));
        ASSERT_TRUE(journal->mark_unknown(3));
        ASSERT_TRUE(journal->mark_unknown(3));
        ASSERT_TRUE(journal->forget(4));
        ASSERT_TRUE(journal->mark_unknown(5));
        ASSERT_TRUE(journal->accept(5, "job_5", 6));
        ASSERT_TRUE(journal->fail_row(9));
        ASSERT_TRUE(journal->fail_row(2));
        ASSERT_TRUE(journal->fail_row(9));
    }
    const auto prior = reopen(path);
    ASSERT_EQ(prior.batches.size(), 5u);
    const std::vector<std::tuple<std::uint64_t, batch_state, std::string, std::uint64_t>> expected{
        {0, batch_state::intent, "", 3},  {1, batch_state::accepted, "job_1", 4}, {2, batch_state::done, "job_2", 5},
        {3, batch_state::unknown, "", 3}, {5, batch_state::accepted, "job_5", 6},
    };
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& [number, state, job, chunks] = expected[i];
        EXPECT_EQ(prior.batches[i].batch, number);
        EXPECT_EQ(to_string(prior.batches[i].state), to_string(state));
        EXPECT_EQ(prior.batches[i].job_id, job);
        EXPECT_EQ(prior.batches[i].chunks, chunks);
        EXPECT_EQ(prior.batches[i].rows,
                  (row_ranges{{number * 10, number * 10 + 5}, {number * 10 + 7, number * 10 + 8}}));
    }
    EXPECT_EQ(prior.failed_rows, (std::vector<std::uint64_t>{2, 9}));
}

enum class step { intend, accept, complete, forget, mark_unknown, doubt };

result<void> apply(run_journal& journal, step s) {
    switch (s) {
        case step::intend: return journal.intend(1, {{0, 1}}, 1);
        case step::accept: return journal.accept(1, "job", 1);
        case step::complete: return journal.complete(1);
        case step::forget: return journal.forget(1);
        case step::mark_unknown: return journal.mark_unknown(1);
        case step::doubt: return journal.doubt(1);
    }
    return {};
}

TEST(journal, a_batch_goes_only_where_it_may) {
    struct row {
        std::vector<step> before;
        std::vector<step> allowed;
    };
    const std::vector<row> table{
        {{}, {step::intend}},
        {{step::intend}, {step::accept, step::forget, step::mark_unknown}},
        {{step::intend, step::accept}, {step::complete, step::forget, step::doubt}},
        {{step::intend, step::accept, step::complete}, {step::doubt}},
        {{step::intend, step::accept, step::complete, step::doubt}, {step::accept, step::forget, step::mark_unknown}},
        {{step::intend, step::accept, step::doubt}, {step::accept, step::forget, step::mark_unknown}},
        {{step::intend, step::mark_unknown}, {step::accept, step::forget, step::mark_unknown}},
        {{step::intend, step::forget}, {step::intend}},
    };
    scratch_folder scratch;
    int number = 0;
    for (const auto& [before, allowed] : table) {
        for (const step s :
             {step::intend, step::accept, step::complete, step::forget, step::mark_unknown, step::doubt}) {
            auto journal = make_sqlite_journal(scratch.file(std::to_string(number++)));
            ASSERT_TRUE(journal->open(testing::some_identity()));
            for (const step b : before) {
                ASSERT_TRUE(apply(*journal, b));
            }
            const bool may = std::find(allowed.begin(), allowed.end(), s) != allowed.end();
            const auto done = apply(*journal, s);
            EXPECT_EQ(done.has_value(), may) << before.size() << " steps, then " << static_cast<int>(s);
            if (!done) {
                EXPECT_EQ(done.error().kind, errc::invalid_argument);
            }
        }
    }
}

TEST(journal, finds_a_batch_as_it_is_and_what_is_doubted_has_no_job) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        auto journal = make_sqlite_journal(path);
        expect_failure(journal->find(0), errc::invalid_argument, "not open");
        ASSERT_TRUE(journal->open(testing::some_identity()));
        ASSERT_TRUE(journal->intend(4, {{0, 5}, {7, 9}}, 3, at(100)));
        ASSERT_TRUE(journal->accept(4, "job_4", 2));
        ASSERT_TRUE(journal->complete(4));
        const auto found = journal->find(4);
        ASSERT_TRUE(found && *found);
        EXPECT_EQ((*found)->state, batch_state::done);
        EXPECT_EQ((*found)->job_id, "job_4");
        EXPECT_EQ((*found)->rows, (row_ranges{{0, 5}, {7, 9}}));
        const auto none = journal->find(5);
        ASSERT_TRUE(none) << none.error();
        EXPECT_FALSE(*none);
        ASSERT_TRUE(journal->doubt(4));
    }
    const prior_run prior = reopen(path);
    EXPECT_EQ(prior.rows_done, 0u);
    EXPECT_EQ(prior.chunks_charged, 0u);
    ASSERT_EQ(prior.batches.size(), 1u);
    EXPECT_EQ(prior.batches[0].state, batch_state::unknown);
    EXPECT_EQ(prior.batches[0].job_id, "");
    EXPECT_EQ(prior.batches[0].chunks, 2u);
    EXPECT_EQ(prior.batches[0].intended_at, at(100));
}

TEST(journal, arguments_are_checked) {
    scratch_folder scratch;
    auto journal = make_sqlite_journal(scratch.file("j"));
    expect_failure(journal->intend(0, {{0, 1}}, 1), errc::invalid_argument, "not open");
    expect_failure(journal->complete(0), errc::invalid_argument, "not open");
    expect_failure(journal->fail_row(0), errc::invalid_argument, "not open");
    ASSERT_TRUE(journal->open(testing::some_identity()));
    expect_failure(journal->open(testing::some_identity()), errc::invalid_argument, "open already");
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_FALSE(journal->intend(most, {{0, 1}}, 1));
    EXPECT_FALSE(journal->intend(1, {{0, 1}}, most));
    EXPECT_FALSE(journal->intend(1, {}, 1));
    EXPECT_FALSE(journal->intend(1, {{1, 1}}, 1));
    EXPECT_FALSE(journal->intend(1, {{5, 6}, {0, 1}}, 1));
    EXPECT_FALSE(journal->fail_row(most));
    ASSERT_TRUE(journal->intend(1, {{0, most}}, 1));
    EXPECT_FALSE(journal->accept(1, "", 1));
    EXPECT_FALSE(journal->accept(1, "job", most));
    ASSERT_TRUE(journal->accept(1, "job'; DROP TABLE batch; --", 1));
    journal.reset();
    EXPECT_EQ(reopen(scratch.file("j")).batches.at(0).job_id, "job'; DROP TABLE batch; --");
}

TEST(journal, another_run_is_refused_and_what_differs_is_named) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        const auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(testing::some_identity()));
        ASSERT_TRUE(journal->intend(0, {{0, 1}}, 1));
    }
    struct row {
        std::string run_identity::*field;
        const char* said;
    };
    for (const auto& [field, said] : {row{&run_identity::service, "its service is \"https://api.example\""},
                                      row{&run_identity::model, "its model is \"bge\", this run's is \"other\""},
                                      row{&run_identity::spec_sha256, "its specification (SHA-256) is \"\""},
                                      row{&run_identity::corpus, "its corpus"}}) {
        auto id = testing::some_identity();
        id.*field = "other";
        auto journal = make_sqlite_journal(path);
        expect_failure(journal->open(id), errc::folder_mismatch, said);
        // The same object may be tried again with the right identity.
        EXPECT_TRUE(journal->open(testing::some_identity()));
    }
}

TEST(journal, a_second_holder_is_refused) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    auto first = make_sqlite_journal(path);
    ASSERT_TRUE(first->open(testing::some_identity()));
    expect_failure(make_sqlite_journal(path)->open(testing::some_identity()), errc::folder_mismatch,
                   "another process is using");

    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto opened = make_sqlite_journal(path)->open(testing::some_identity());
        const bool refused = !opened && opened.error().kind == errc::folder_mismatch;
        ::_exit(refused ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    first.reset();
    (void)reopen(path);
}

TEST(journal, a_killed_process_leaves_what_it_was_told) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto journal = make_sqlite_journal(path);
        const bool ok = journal->open(testing::some_identity()) && journal->intend(0, {{0, 9}}, 1) &&
                        journal->accept(0, "job", 1) && journal->intend(1, {{9, 12}}, 1);
        (void)::kill(::getpid(), ok ? SIGKILL : SIGTERM);
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const auto prior = reopen(path);
    ASSERT_EQ(prior.batches.size(), 2u);
    EXPECT_EQ(prior.batches[0].state, batch_state::accepted);
    EXPECT_EQ(prior.batches[0].job_id, "job");
    EXPECT_EQ(prior.batches[1].state, batch_state::intent);
}

TEST(journal, damage_is_noticed) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(testing::some_identity()));
        for (std::uint64_t b = 0; b < 500; ++b) {
            ASSERT_TRUE(journal->intend(b, {{b, b + 1}}, 1));
        }
    }
    const std::string whole = scratch.read("j");
    ASSERT_GT(whole.size(), 3 * 4096u);

    scratch.write("j", "this is no database, although it is long enough to be looked at: " + std::string(5000, '.'));
    expect_failure(make_sqlite_journal(path)->open(testing::some_identity()), errc::journal_damaged, "j is damaged");
    EXPECT_EQ(scratch.read("j").substr(0, 7), "this is") << "a file that is not a journal is left alone";

    scratch.write("j", whole.substr(0, whole.size() / 2));
    expect_failure(make_sqlite_journal(path)->open(testing::some_identity()), errc::journal_damaged, "start a new run");

    std::string garbled = whole;
    garbled.replace(4096, 4096, std::string(4096, '\x5a'));
    scratch.write("j", garbled);
    expect_failure(make_sqlite_journal(path)->open(testing::some_identity()), errc::journal_damaged, "start a new run");

    scratch.write("j", whole);
    EXPECT_EQ(reopen(path).batches.size(), 500u);
}

TEST(journal, damage_that_no_row_shows_is_noticed) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(testing::some_identity()));
        row_ranges many;
        for (std::uint64_t i = 0; i < 5'000; ++i) {
            many.emplace_back(2 * i, 2 * i + 1);
        }
        ASSERT_TRUE(journal->intend(0, many, 1));
        ASSERT_TRUE(journal->forget(0));  // leaves free pages
    }
    std::string bytes = scratch.read("j");
    const std::string first_free_page = bytes.substr(32, 4);  // bytes 32 to 35 of the file header
    ASSERT_NE(first_free_page, std::string(4, '\0'));
    bytes.replace(32, 4, std::string("\0\0\0\2", 4));  // a page that is in use
    scratch.write("j", bytes);
    expect_failure(make_sqlite_journal(path)->open(testing::some_identity()), errc::journal_damaged,
                   "cannot be trusted");
}

TEST(journal, content_that_makes_no_sense_is_damage) {
    for (const char* sql :
         {"UPDATE batch SET row_ranges = '5-2'", "UPDATE batch SET row_ranges = ''", "UPDATE batch SET state = 1",
          "UPDATE batch SET chunks = -1", "UPDATE batch SET number = -7", "DELETE FROM run",
          "INSERT INTO failed_row VALUES (-1)", "UPDATE batch SET row_ranges = '0-2'", "UPDATE batch SET chunks = 2",
          "UPDATE batch SET intended_at = 1", "UPDATE batch SET checksum = checksum + 1", "DELETE FROM batch",
          "INSERT INTO failed_row VALUES (1)",
          "INSERT INTO batch SELECT 9, state, row_ranges, job_id, chunks, intended_at, checksum "
          "FROM batch",
          "UPDATE run SET corpus = 'abd'", "UPDATE run SET dimensions = 7", "UPDATE run SET baseline_known = 1",
          "UPDATE run SET next_batch = 5"}) {
        scratch_folder scratch;
        const auto path = scratch.file("j");
        {
            auto journal = make_sqlite_journal(path);
            ASSERT_TRUE(journal->open(testing::some_identity()));
            ASSERT_TRUE(journal->intend(0, {{0, 1}}, 1));
        }
        run_sql(path, sql);
        expect_failure(make_sqlite_journal(path)->open(testing::some_identity()), errc::journal_damaged,
                       "cannot be trusted");
    }
}

TEST(journal, databases_of_others_and_of_other_versions_are_refused) {
    scratch_folder scratch;
    run_sql(scratch.file("other"), "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    const std::string foreign = scratch.read("other");
    expect_failure(make_sqlite_journal(scratch.file("other"))->open(testing::some_identity()), errc::folder_mismatch,
                   "a database of another program");
    EXPECT_EQ(scratch.read("other"), foreign) << "left as it was";
    (void)reopen(scratch.file("newer"));
    run_sql(scratch.file("newer"), "PRAGMA user_version = 3");
    expect_failure(make_sqlite_journal(scratch.file("newer"))->open(testing::some_identity()), errc::folder_mismatch,
                   "the format 3");
    run_sql(scratch.file("newer"), "PRAGMA user_version = 1");
    expect_failure(make_sqlite_journal(scratch.file("newer"))->open(testing::some_identity()), errc::folder_mismatch,
                   "the format 1, this version reads 2");
}

TEST(journal, an_empty_file_is_a_new_journal) {
    scratch_folder scratch;
    scratch.write("j", "");
    EXPECT_TRUE(reopen(scratch.file("j")).batches.empty());
}

TEST(journal, what_cannot_be_opened_is_io) {
    scratch_folder scratch;
    scratch.write("file", "x");
    expect_failure(make_sqlite_journal(scratch.file("file/j"))->open(testing::some_identity()), errc::io, "file");
}

TEST(journal, a_failed_write_is_told_and_not_recorded) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto journal = make_sqlite_journal(path);
        bool ok = journal->open(testing::some_identity()).has_value();
        (void)::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, RLIM_INFINITY};
        ok = ok && ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
        std::uint64_t recorded = 0;
        result<void> last;
        for (; last && recorded < 1000; recorded += last ? 1 : 0) {
            last = journal->intend(recorded, {{recorded, recorded + 1}}, 1);
        }
        ok = ok && !last && last.error().kind == errc::io && last.error().message.find(path) != std::string::npos;
        const rlimit lifted{RLIM_INFINITY, RLIM_INFINITY};
        ok = ok && ::setrlimit(RLIMIT_FSIZE, &lifted) == 0 && journal->mark_unknown(recorded - 1) &&
             !journal->mark_unknown(recorded) && journal->intend(recorded, {{recorded, recorded + 1}}, 1);
        journal.reset();
        ::_exit(ok && recorded > 1 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    const auto prior = reopen(path);
    ASSERT_GT(prior.batches.size(), 2u);
    EXPECT_EQ(prior.batches.back().batch + 1, prior.batches.size());
}

TEST(journal, every_call_is_durable_when_it_returns) {
    scratch_folder scratch;
    auto journal = make_sqlite_journal(scratch.file("j"));
    ASSERT_TRUE(journal->open(testing::some_identity()));
    auto did_sync = [before = syncs]() mutable { return std::exchange(before, syncs) < syncs; };
    EXPECT_TRUE(journal->intend(0, {{0, 1}}, 1));
    EXPECT_TRUE(did_sync());
    EXPECT_TRUE(journal->mark_unknown(0));
    EXPECT_TRUE(did_sync());
    EXPECT_TRUE(journal->accept(0, "job", 1));
    EXPECT_TRUE(did_sync());
    EXPECT_TRUE(journal->complete(0));
    EXPECT_TRUE(did_sync());
    EXPECT_TRUE(journal->intend(1, {{1, 2}}, 1));
    EXPECT_TRUE(did_sync());
    EXPECT_TRUE(journal->forget(1));
    EXPECT_TRUE(did_sync());
    EXPECT_TRUE(journal->fail_row(5));
    EXPECT_TRUE(did_sync());
    EXPECT_FALSE(did_sync()) << "the count must be able to stand still";
}

TEST(journal, several_changes_are_one) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(testing::some_identity()));
        const int before = syncs;
        const std::vector<journal_change> all{
            journal_change::intend(0, {{0, 5}}, 2, at(7)), journal_change::intend(1, {{5, 9}}, 2, at(8)),
            journal_change::accept(0, "job_0", 1), journal_change::fail_row(9), journal_change::complete(0)};
        ASSERT_TRUE(journal->commit(all));
        EXPECT_EQ(syncs, before + 1) << "one transaction, made durable once";
        EXPECT_TRUE(journal->commit({}));

        const std::vector<journal_change> wrong{journal_change::accept(1, "job_1", 1), journal_change::fail_row(4),
                                                journal_change::intend(2, {{20, 21}}, 1, at(9)),
                                                journal_change::complete(7)};
        expect_failure(journal->commit(wrong), errc::invalid_argument, "batch 7 is not in the journal");
        expect_failure(journal->complete(1), errc::invalid_argument, "batch 1 is intent");
        ASSERT_TRUE(journal->intend(2, {{30, 31}}, 1)) << "of the refused changes nothing stayed";
    }
    const auto prior = reopen(path);
    ASSERT_EQ(prior.batches.size(), 3u);
    EXPECT_EQ(prior.batches[0].state, batch_state::done);
    EXPECT_EQ(prior.batches[0].intended_at, at(7));
    EXPECT_EQ(prior.batches[1].state, batch_state::intent);
    EXPECT_EQ(prior.batches[2].rows, (row_ranges{{30, 31}}));
    EXPECT_EQ(prior.failed_rows, std::vector<std::uint64_t>{9});
}

TEST(journal, remembers_facts_and_what_was_charged) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    run_facts facts;
    facts.spec_hash = "abc";
    facts.dimensions = 384;
    facts.rows_per_chunk = 50;
    facts.charged_on_acceptance = true;
    facts.extra_chunks = 3;
    facts.baseline.emplace();
    facts.baseline->chunks_consumed_period = 1234;
    facts.baseline->period = "2026-11";
    facts.baseline->taken_at = at(99);
    {
        auto journal = make_sqlite_journal(path);
        auto fresh = journal->open(testing::some_identity());
        ASSERT_TRUE(fresh);
        EXPECT_EQ(fresh->facts, run_facts());
        EXPECT_EQ(fresh->next_batch, 0u);
        ASSERT_TRUE(journal->remember(run_facts()));
        ASSERT_TRUE(journal->remember(facts));
        ASSERT_TRUE(journal->remember(facts));
        for (std::uint64_t b = 0; b < 5; ++b) {
            ASSERT_TRUE(journal->intend(b, {{b * 10, b * 10 + 3}, {b * 10 + 5, b * 10 + 7}}, 100));
        }
        ASSERT_TRUE(journal->accept(0, "job_0", 1));
        ASSERT_TRUE(journal->accept(1, "job_1", 2));
        ASSERT_TRUE(journal->complete(1));
        ASSERT_TRUE(journal->accept(2, "job_2", 4));
        ASSERT_TRUE(journal->forget(2, 4));
        ASSERT_TRUE(journal->accept(3, "job_3", 8));
        ASSERT_TRUE(journal->forget(3)) << "refunded";
        ASSERT_TRUE(journal->forget(4));
    }
    const auto prior = reopen(path);
    EXPECT_EQ(prior.facts, facts);
    EXPECT_EQ(prior.chunks_charged, 1u + 2 + 4);
    EXPECT_EQ(prior.batches_done, 1u);
    EXPECT_EQ(prior.rows_done, 5u);
    EXPECT_EQ(prior.next_batch, 5u) << "the number of a forgotten batch is not given again";

    auto journal = make_sqlite_journal(path);
    ASSERT_TRUE(journal->open(testing::some_identity()));
    run_facts other = facts;
    other.spec_hash = "other";
    expect_failure(journal->remember(other), errc::invalid_argument, "spec_hash is abc");
    other = facts;
    other.dimensions = 0;
    expect_failure(journal->remember(other), errc::invalid_argument, "384 dimensions");
    other = facts;
    other.baseline.reset();
    EXPECT_TRUE(journal->remember(other));
    journal.reset();
    EXPECT_EQ(reopen(path).facts, other);
}

TEST(journal, hands_over_what_there_is_much_of) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(testing::some_identity()));
        for (std::uint64_t b = 0; b < 4; ++b) {
            ASSERT_TRUE(journal->intend(b, {{b * 10, b * 10 + 1}}, 1));
        }
        for (const std::uint64_t b : {1u, 3u}) {
            ASSERT_TRUE(journal->accept(b, "job", 1));
            ASSERT_TRUE(journal->complete(b));
        }
        for (const std::uint64_t row : {31u, 7u, 5u, 6u, 30u, 9u}) {
            ASSERT_TRUE(journal->fail_row(row));
        }
    }
    std::vector<std::uint64_t> done;
    row_ranges failed;
    prior_visitor visitor;
    visitor.done = [&done](const journalled_batch& batch) {
        done.push_back(batch.batch);
        return result<void>();
    };
    visitor.failed = [&failed](std::uint64_t first, std::uint64_t last) {
        failed.emplace_back(first, last);
        return result<void>();
    };
    auto journal = make_sqlite_journal(path);
    auto prior = journal->open(testing::some_identity(), visitor);
    ASSERT_TRUE(prior) << prior.error();
    EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(failed, (row_ranges{{5, 8}, {9, 10}, {30, 32}}));
    ASSERT_EQ(prior->batches.size(), 2u);
    EXPECT_EQ(prior->batches[1].batch, 2u);
    EXPECT_TRUE(prior->failed_rows.empty());
    EXPECT_EQ(prior->rows_failed, 6u);
    EXPECT_EQ(prior->batches_done, 2u);
    journal.reset();

    visitor.done = [](const journalled_batch&) { return result<void>(error(errc::io, "no room for it")); };
    expect_failure(make_sqlite_journal(path)->open(testing::some_identity(), visitor), errc::io, "no room for it");
}

TEST(journal, can_be_read_while_it_is_written) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    expect_failure(read_journal(path), errc::io, "no run has begun");
    EXPECT_FALSE(scratch.has("j"));
    EXPECT_FALSE(scratch.has("j.lock"));
    auto journal = make_sqlite_journal(path);
    ASSERT_TRUE(journal->open(testing::some_identity()));
    // Long enough for the log to be folded into the file several times.
    row_ranges many;
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        many.emplace_back(2 * i, 2 * i + 1);
    }
    for (std::uint64_t b = 0; b < 600; ++b) {
        ASSERT_TRUE(journal->intend(b, many, 1));
        if (b % 20 == 0) {
            ASSERT_TRUE(journal->accept(b, "job", 2));
            ASSERT_TRUE(journal->complete(b));
            const auto read = read_journal(path);
            ASSERT_TRUE(read) << read.error();
            EXPECT_TRUE(read->in_use);
            EXPECT_EQ(read->identity, testing::some_identity());
            EXPECT_EQ(read->run.batches_done, b / 20 + 1);
            EXPECT_EQ(read->run.batches.size() + read->run.batches_done, b + 1);
            EXPECT_EQ(read->run.chunks_charged, 2 * (b / 20 + 1));
        }
    }
    EXPECT_FALSE(scratch.has("j-shm"));
    journal.reset();
    const std::string whole = scratch.read("j");
    const auto read = read_journal(path);
    ASSERT_TRUE(read) << read.error();
    EXPECT_FALSE(read->in_use);
    EXPECT_EQ(read->run.next_batch, 600u);
    EXPECT_EQ(scratch.read("j"), whole);
    EXPECT_FALSE(scratch.has("j-wal"));
    EXPECT_FALSE(scratch.has("j-shm"));
}

TEST(journal, readings_beside_a_writer_are_never_torn) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto journal = make_sqlite_journal(path);
        bool ok = journal->open(testing::some_identity()).has_value();
        for (std::uint64_t b = 0; ok; ++b) {
            ok = journal->intend(b, {{b, b + 1}}, 1).has_value();
        }
        ::_exit(1);
    }
    std::uint64_t seen = 0;
    while (seen < 1'500) {
        const auto read = read_journal(path);
        if (!read) {
            ASSERT_EQ(read.error().kind, errc::io) << read.error();
            continue;
        }
        EXPECT_TRUE(read->in_use);
        EXPECT_GE(read->run.batches.size(), seen);
        seen = read->run.batches.size();
        EXPECT_EQ(read->run.next_batch, seen);
    }
    EXPECT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    // What the dead process left is read as it is, log and all.
    const std::string log = scratch.read("j-wal");
    const auto read = read_journal(path);
    ASSERT_TRUE(read) << read.error();
    EXPECT_FALSE(read->in_use);
    EXPECT_GE(read->run.next_batch, seen);
    EXPECT_EQ(scratch.read("j-wal"), log);
    EXPECT_FALSE(scratch.has("j-shm"));
    EXPECT_EQ(reopen(path).next_batch, read->run.next_batch);
}

// A journal that its process left without an orderly end, so that it has a log.
class abandoned_journal {
public:
    abandoned_journal() {
        const auto path = scratch.file("j");
        const pid_t child = ::fork();
        if (child == 0) {
            auto journal = make_sqlite_journal(path);
            bool ok = journal->open(testing::some_identity()).has_value();
            // Few commits: the log has a few pages for each.
            std::vector<journal_change> changes;
            for (std::uint64_t b = 0; b < 3; ++b) {
                changes.push_back(journal_change::intend(b, {{b * 10, b * 10 + 10}}, 1, at(5)));
                changes.push_back(journal_change::accept(b, "job_" + std::to_string(b), 1));
            }
            ok = ok && journal->commit(changes);
            changes.clear();
            changes.push_back(journal_change::complete(1));
            changes.push_back(journal_change::fail_row(77));
            ok = ok && journal->commit(changes);
            (void)::kill(::getpid(), ok ? SIGKILL : SIGTERM);
            ::_exit(1);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (const char* name : {"j", "j-wal", "j.lock"}) {
            files[name] = scratch.read(name);
            EXPECT_FALSE(files[name].empty()) << name;
        }
    }

    scratch_folder scratch;
    std::map<std::string, std::string> files;
};

std::string told(const prior_run& prior) {
    std::string all;
    for (const journalled_batch& b : prior.batches) {
        all += std::to_string(b.batch) + " " + std::string(to_string(b.state)) + " " + b.job_id + " " +
               std::to_string(b.chunks) + " " + std::to_string(b.rows.at(0).first) + "-" +
               std::to_string(b.rows.at(0).second) + "\n";
    }
    for (const std::uint64_t row : prior.failed_rows) {
        all += "failed " + std::to_string(row) + "\n";
    }
    return all + prior.facts.spec_hash + std::to_string(prior.next_batch) + " " + std::to_string(prior.chunks_charged);
}

// Reads without writing, and now and then as the next run would open it.
result<prior_run> look_at(const std::string& path, bool as_a_run) {
    if (as_a_run) {
        return make_sqlite_journal(path)->open(testing::some_identity());
    }
    auto content = journal::read_journal_content(path, prior_visitor());
    if (!content) {
        return content.error();
    }
    return *content ? (*content)->prior : prior_run();
}

void put_byte(const std::string& path, std::size_t at, char byte) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at)).put(byte);
}

// Changes each byte in turn, or one in ten where sanitizers watch.
void change_each_byte(const scratch_folder& scratch, const std::map<std::string, std::string>& whole,
                      const std::string& wanted, std::uint64_t& noticed, std::uint64_t& unharmed) {
    const std::size_t step = 10 / testing::repetitions(10);
    for (const auto& [name, bytes] : whole) {
        for (std::size_t i = 0; i < bytes.size(); i += step) {
            const bool as_a_run = i % 499 == 0;
            put_byte(scratch.file(name), i, static_cast<char>(bytes[i] ^ (1 << (i % 8))));
            const auto opened = look_at(scratch.file("j"), as_a_run);
            ++(opened ? unharmed : noticed);
            if (opened) {
                EXPECT_EQ(told(*opened), wanted) << name << ", byte " << i;
            } else {
                const errc kind = opened.error().kind;
                EXPECT_TRUE(kind == errc::journal_damaged || kind == errc::io || kind == errc::folder_mismatch)
                    << name << ", byte " << i << ": " << opened.error();
            }
            if (as_a_run) {
                std::filesystem::remove(scratch.file("j-wal"));
                for (const auto& [other, content] : whole) {
                    scratch.write(other, content);
                }
            }
            put_byte(scratch.file(name), i, bytes[i]);
        }
    }
}

TEST(journal, no_byte_can_change_in_silence) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "thousands of files read by one thread: nothing that ThreadSanitizer looks for";
#endif
    abandoned_journal left;
    std::uint64_t noticed = 0;
    std::uint64_t unharmed = 0;
    const auto before = look_at(left.scratch.file("j"), false);
    ASSERT_TRUE(before) << before.error();
    const std::string wanted = told(*before);
    ASSERT_NE(wanted.find("2 accepted job_2"), std::string::npos) << wanted;
    change_each_byte(left.scratch, left.files, wanted, noticed, unharmed);
    // And with the log folded into the file.
    EXPECT_EQ(told(reopen(left.scratch.file("j"))), wanted);
    const std::map<std::string, std::string> folded{{"j", left.scratch.read("j")},
                                                    {"j.lock", left.scratch.read("j.lock")}};
    change_each_byte(left.scratch, folded, wanted, noticed, unharmed);
    EXPECT_GT(noticed, testing::repetitions(500));
    EXPECT_GT(unharmed, testing::repetitions(500)) << "pages have room that holds nothing";
}

TEST(journal, a_log_that_is_gone_is_missed) {
    abandoned_journal left;
    const scratch_folder& scratch = left.scratch;
    const std::string log = left.files["j-wal"];
    for (const std::size_t kept : {std::size_t{0}, log.size() / 2, log.size() - 1}) {
        scratch.write("j", left.files["j"]);
        scratch.write("j-wal", log.substr(0, kept));
        expect_failure(make_sqlite_journal(scratch.file("j"))->open(testing::some_identity()), errc::journal_damaged,
                       "-wal file was removed or damaged");
        EXPECT_EQ(scratch.read("j-wal"), log.substr(0, kept)) << "what may be restored is left alone";
        expect_failure(read_journal(scratch.file("j")), errc::journal_damaged, "cannot be trusted");
    }
    std::filesystem::remove(scratch.file("j-wal"));
    expect_failure(make_sqlite_journal(scratch.file("j"))->open(testing::some_identity()), errc::journal_damaged,
                   "removed");
    std::filesystem::remove(scratch.file("j"));
    expect_failure(make_sqlite_journal(scratch.file("j"))->open(testing::some_identity()), errc::journal_damaged,
                   "it has 0");

    // With its own note an older copy is what it was then; without a note nothing says that there was more.
    std::filesystem::remove(scratch.file("j.lock"));
    EXPECT_EQ(reopen(scratch.file("j")).next_batch, 0u);
}

TEST(journal, writes_ahead) {
    scratch_folder scratch;
    auto journal = make_sqlite_journal(scratch.file("j"));
    ASSERT_TRUE(journal->open(testing::some_identity()));
    EXPECT_TRUE(scratch.has("j-wal"));
    EXPECT_FALSE(scratch.has("j-shm"));
    // Bytes 68 to 71 of the file: the application id; 60 to 63: the version.
    journal.reset();
    const std::string header = scratch.read("j").substr(0, 100);
    EXPECT_EQ(header.substr(68, 4), "vmbd");
    EXPECT_EQ(header.substr(60, 4), std::string("\0\0\0\2", 4));
    EXPECT_FALSE(scratch.has("j-wal")) << "an orderly end leaves one file";
}

}  // namespace
}  // namespace vembed
