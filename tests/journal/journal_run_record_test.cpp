// The checksum of the journal's run record. The note in the .lock file finds a change of it as well, so these journals
// have none: an older note, or one that went with a lost .lock file, vouches for nothing.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>

#include <vembed/journal/journal.hpp>

#include "journal/journal_aids.hpp"
#include "journal/journal_reading.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using testing::scratch_folder;

void make_journal(const std::string& path) {
    auto journal = make_sqlite_journal(path);
    ASSERT_TRUE(journal->open(testing::some_identity()));
    run_facts facts;
    facts.spec_hash = "abc";
    facts.dimensions = 384;
    facts.rows_per_chunk = 50;
    facts.baseline.emplace().period = "2026-11";
    ASSERT_TRUE(journal->remember(facts));
    ASSERT_TRUE(journal->intend(0, {{0, 1}}, 1));
    ASSERT_TRUE(journal->accept(0, "job_0", 1));
}

void change(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    EXPECT_EQ(sqlite3_changes(db), 1) << sql;
    sqlite3_close(db);
}

template <class T>
void expect_changed_record(const result<T>& read, const std::string& sql) {
    ASSERT_FALSE(read) << sql;
    EXPECT_EQ(read.error().kind, errc::journal_damaged) << sql;
    EXPECT_NE(read.error().message.find("what it says of its run was changed"), std::string::npos)
        << sql << ": " << read.error();
}

TEST(journal_run_record, a_change_of_any_column_is_noticed_without_a_note) {
    for (const char* column :
         {"service = 'https://api.other'", "model = 'other'", "spec_sha256 = 'f'", "corpus = 'abd'",
          "spec_hash = 'abd'", "dimensions = 385", "rows_per_chunk = 51", "observations = 3", "baseline_chunks = 1",
          "baseline_period = '2026-12'", "baseline_at = 1", "extra_chunks = 1", "chunks_forgotten = 1",
          "next_batch = 2", "commits = commits + 1", "content_sum = content_sum + 1", "checksum = checksum + 1",
          "baseline_known = 0"}) {
        scratch_folder scratch;
        const auto path = scratch.file("j");
        make_journal(path);
        const std::string sql = std::string("UPDATE run SET ") + column;
        change(path, sql);
        std::filesystem::remove(scratch.file("j.lock"));
        expect_changed_record(read_journal(path), sql);
        expect_changed_record(make_sqlite_journal(path)->open(testing::some_identity()), sql);
    }
}

TEST(journal_run_record, an_unchanged_one_needs_no_note) {
    scratch_folder scratch;
    const auto path = scratch.file("j");
    make_journal(path);
    std::filesystem::remove(scratch.file("j.lock"));
    auto prior = make_sqlite_journal(path)->open(testing::some_identity());
    ASSERT_TRUE(prior) << prior.error();
    EXPECT_EQ(prior->facts.dimensions, 384U);
    EXPECT_EQ(prior->batches.size(), 1U);
}

}  // namespace
}  // namespace vembed
