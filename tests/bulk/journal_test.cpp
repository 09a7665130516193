// The SQLite journal: what it remembers, what it refuses, and that it can tell when it cannot be trusted.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <vembed/bulk/journal.hpp>

#include "bulk/scratch.hpp"

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

run_identity identity() {
    run_identity id;
    id.service = "https://api.example";
    id.model = "bge";
    id.corpus = "abc";
    return id;
}

template <class T>
void expect_failure(const result<T>& r, errc kind, std::string_view said) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind, kind) << r.error();
    EXPECT_NE(r.error().message.find(said), std::string::npos) << r.error();
}

prior_run reopen(const std::string& path) {
    auto journal = make_sqlite_journal(path);
    auto prior = journal->open(identity());
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
        auto prior = journal->open(identity());
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

enum class step { intend, accept, complete, forget, mark_unknown };

result<void> apply(run_journal& journal, step s) {
    switch (s) {
        case step::intend: return journal.intend(1, {{0, 1}}, 1);
        case step::accept: return journal.accept(1, "job", 1);
        case step::complete: return journal.complete(1);
        case step::forget: return journal.forget(1);
        case step::mark_unknown: return journal.mark_unknown(1);
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
        {{step::intend, step::accept}, {step::complete, step::forget}},
        {{step::intend, step::accept, step::complete}, {}},
        {{step::intend, step::mark_unknown}, {step::accept, step::forget, step::mark_unknown}},
        {{step::intend, step::forget}, {step::intend}},
    };
    scratch_folder scratch;
    int number = 0;
    for (const auto& [before, allowed] : table) {
        for (const step s : {step::intend, step::accept, step::complete, step::forget, step::mark_unknown}) {
            auto journal = make_sqlite_journal(scratch.file(std::to_string(number++)));
            ASSERT_TRUE(journal->open(identity()));
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

TEST(journal, arguments_are_checked) {
    scratch_folder scratch;
    auto journal = make_sqlite_journal(scratch.file("j"));
    expect_failure(journal->intend(0, {{0, 1}}, 1), errc::invalid_argument, "not open");
    expect_failure(journal->complete(0), errc::invalid_argument, "not open");
    expect_failure(journal->fail_row(0), errc::invalid_argument, "not open");
    ASSERT_TRUE(journal->open(identity()));
    expect_failure(journal->open(identity()), errc::invalid_argument, "open already");
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
    (void)reopen(path);
    struct row {
        std::string run_identity::*field;
        const char* said;
    };
    for (const auto& [field, said] : {row{&run_identity::service, "its service is \"https://api.example\""},
                                      row{&run_identity::model, "its model is \"bge\", this run's is \"other\""},
                                      row{&run_identity::spec_sha256, "its specification (SHA-256) is \"\""},
                                      row{&run_identity::corpus, "its corpus"}}) {
        auto id = identity();
        id.*field = "other";
        auto journal = make_sqlite_journal(path);
        expect_failure(journal->open(id), errc::folder_mismatch, said);
        // The same object may be tried again with the right identity.
        EXPECT_TRUE(journal->open(identity()));
    }
}

TEST(journal, a_second_holder_is_refused) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    auto first = make_sqlite_journal(path);
    ASSERT_TRUE(first->open(identity()));
    expect_failure(make_sqlite_journal(path)->open(identity()), errc::folder_mismatch, "another process is using");

    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto opened = make_sqlite_journal(path)->open(identity());
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
        const bool ok = journal->open(identity()) && journal->intend(0, {{0, 9}}, 1) && journal->accept(0, "job", 1) &&
                        journal->intend(1, {{9, 12}}, 1);
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
        ASSERT_TRUE(journal->open(identity()));
        for (std::uint64_t b = 0; b < 500; ++b) {
            ASSERT_TRUE(journal->intend(b, {{b, b + 1}}, 1));
        }
    }
    const std::string whole = scratch.read("j");
    ASSERT_GT(whole.size(), 3 * 4096u);

    scratch.write("j", "this is no database, although it is long enough to be looked at: " + std::string(5000, '.'));
    expect_failure(make_sqlite_journal(path)->open(identity()), errc::journal_damaged, "j is damaged");
    EXPECT_EQ(scratch.read("j").substr(0, 7), "this is") << "a file that is not a journal is left alone";

    scratch.write("j", whole.substr(0, whole.size() / 2));
    expect_failure(make_sqlite_journal(path)->open(identity()), errc::journal_damaged, "start a new run");

    std::string garbled = whole;
    garbled.replace(4096, 4096, std::string(4096, '\x5a'));
    scratch.write("j", garbled);
    expect_failure(make_sqlite_journal(path)->open(identity()), errc::journal_damaged, "start a new run");

    scratch.write("j", whole);
    EXPECT_EQ(reopen(path).batches.size(), 500u);
}

TEST(journal, damage_that_no_row_shows_is_noticed) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    {
        auto journal = make_sqlite_journal(path);
        ASSERT_TRUE(journal->open(identity()));
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
    expect_failure(make_sqlite_journal(path)->open(identity()), errc::journal_damaged, "cannot be trusted");
}

TEST(journal, content_that_makes_no_sense_is_damage) {
    for (const char* sql : {"UPDATE batch SET row_ranges = '5-2'", "UPDATE batch SET row_ranges = ''",
                            "UPDATE batch SET state = 1", "UPDATE batch SET chunks = -1",
                            "UPDATE batch SET number = -7", "DELETE FROM run", "INSERT INTO failed_row VALUES (-1)"}) {
        scratch_folder scratch;
        const auto path = scratch.file("j");
        {
            auto journal = make_sqlite_journal(path);
            ASSERT_TRUE(journal->open(identity()));
            ASSERT_TRUE(journal->intend(0, {{0, 1}}, 1));
        }
        run_sql(path, sql);
        expect_failure(make_sqlite_journal(path)->open(identity()), errc::journal_damaged, "cannot be trusted");
    }
}

TEST(journal, databases_of_others_and_of_other_versions_are_refused) {
    scratch_folder scratch;
    run_sql(scratch.file("other"), "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    expect_failure(make_sqlite_journal(scratch.file("other"))->open(identity()), errc::folder_mismatch,
                   "a database of another program");
    (void)reopen(scratch.file("newer"));
    run_sql(scratch.file("newer"), "PRAGMA user_version = 2");
    expect_failure(make_sqlite_journal(scratch.file("newer"))->open(identity()), errc::folder_mismatch, "the format 2");
}

TEST(journal, an_empty_file_is_a_new_journal) {
    scratch_folder scratch;
    scratch.write("j", "");
    EXPECT_TRUE(reopen(scratch.file("j")).batches.empty());
}

TEST(journal, what_cannot_be_opened_is_io) {
    scratch_folder scratch;
    scratch.write("file", "x");
    expect_failure(make_sqlite_journal(scratch.file("file/j"))->open(identity()), errc::io, "file");
}

TEST(journal, a_failed_write_is_told_and_not_recorded) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto journal = make_sqlite_journal(path);
        bool ok = journal->open(identity()).has_value();
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
    ASSERT_TRUE(journal->open(identity()));
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

TEST(journal, writes_ahead) {
    scratch_folder scratch;
    auto journal = make_sqlite_journal(scratch.file("j"));
    ASSERT_TRUE(journal->open(identity()));
    EXPECT_TRUE(scratch.has("j-wal"));
    EXPECT_FALSE(scratch.has("j-shm"));
    // Bytes 68 to 71 of the file: the application id; 60 to 63: the version.
    journal.reset();
    const std::string header = scratch.read("j").substr(0, 100);
    EXPECT_EQ(header.substr(68, 4), "vmbd");
    EXPECT_EQ(header.substr(60, 4), std::string("\0\0\0\1", 4));
    EXPECT_FALSE(scratch.has("j-wal")) << "an orderly end leaves one file";
}

}  // namespace
}  // namespace vembed
