#include "journal/journal_tables.hpp"

#include <array>
#include <utility>

#include "journal/journal_reading.hpp"
#include "journal/log_pages.hpp"
#include "storage/file_size_limit.hpp"

namespace vembed::journal {
namespace {

constexpr const char* create_schema = R"sql(
    CREATE TABLE run (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        service TEXT NOT NULL, model TEXT NOT NULL, spec_sha256 TEXT NOT NULL, corpus TEXT NOT NULL,
        spec_hash TEXT NOT NULL, dimensions INTEGER NOT NULL,
        rows_per_chunk INTEGER NOT NULL, observations INTEGER NOT NULL,
        baseline_known INTEGER NOT NULL, baseline_chunks INTEGER NOT NULL,
        baseline_period TEXT NOT NULL, baseline_at INTEGER NOT NULL,
        extra_chunks INTEGER NOT NULL, chunks_forgotten INTEGER NOT NULL, next_batch INTEGER NOT NULL,
        commits INTEGER NOT NULL, content_sum INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
    CREATE TABLE batch (
        number INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        row_ranges TEXT NOT NULL,
        job_id TEXT NOT NULL,
        chunks INTEGER NOT NULL,
        intended_at INTEGER NOT NULL,
        checksum INTEGER NOT NULL) STRICT;
    CREATE TABLE failed_row (number INTEGER PRIMARY KEY) STRICT;
    PRAGMA application_id = 1986880100;
    PRAGMA user_version = 2;
)sql";
static_assert(journal_application_id == 1986880100 && journal_schema_version == 2);

constexpr const char* replace_run =
    "INSERT OR REPLACE INTO run VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
    "?18)";

std::int64_t as_stored(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}

}  // namespace

result<void> journal_tables::open(std::string path) {
    path_ = std::move(path);
    auto db = storage::database::open(path_);
    if (!db) {
        return db.error();
    }
    db_ = std::move(*db);
    // Exclusive locking is set before WAL, so that no shared memory file is needed: network file systems have none.
    if (auto set = db_.execute("PRAGMA locking_mode = EXCLUSIVE"); !set) {
        return set;
    }
    auto mode = db_.text("PRAGMA journal_mode = WAL");
    if (!mode) {
        return mode.error();
    }
    if (*mode != "wal") {
        return error(errc::io, "cannot use " + path_ + ": the file system does not allow a write-ahead log");
    }
    const result<std::uint64_t> pages = log_pages_within(storage::file_size_limit());
    if (!pages) {
        return pages.error();
    }
    const std::string settings = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = " + std::to_string(*pages);
    return db_.execute(settings.c_str());
}

// This is one transaction: a process that dies within it leaves an empty journal, never a partial one.
result<void> journal_tables::create(const run_record& run) {
    if (auto begun = db_.execute("BEGIN IMMEDIATE"); !begun) {
        return begun;
    }
    auto made = db_.execute(create_schema);
    if (made) {
        auto write = db_.prepare(replace_run);
        if (write) {
            statements_.write_run = std::move(*write);
            made = write_run(run);
        } else {
            made = write.error();
        }
    }
    if (made) {
        made = db_.execute("COMMIT");
    }
    if (!made) {
        (void)db_.execute("ROLLBACK");  // `made` says why already
    }
    return made;
}

result<void> journal_tables::prepare() {
    static const std::string find = std::string(select_batch_columns) + "WHERE number = ?1";
    const std::array<std::pair<storage::statement*, const char*>, 8> all{
        {{&statements_.begin, "BEGIN IMMEDIATE"},
         {&statements_.commit, "COMMIT"},
         {&statements_.rollback, "ROLLBACK"},
         {&statements_.write_run, replace_run},
         {&statements_.find_batch, find.c_str()},
         {&statements_.write_batch, "INSERT OR REPLACE INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
         {&statements_.remove_batch, "DELETE FROM batch WHERE number = ?1"},
         {&statements_.insert_failed_row, "INSERT OR IGNORE INTO failed_row VALUES (?1)"}}};
    for (const auto& [target, sql] : all) {
        auto prepared = db_.prepare(sql);
        if (!prepared) {
            return prepared.error();
        }
        *target = std::move(*prepared);
    }
    return {};
}

void journal_tables::close() {
    statements_ = {};
    db_ = storage::database();
}

result<void> journal_tables::write_run(const run_record& run) {
    const run_facts& facts = run.facts;
    const account_baseline baseline = facts.baseline.value_or(account_baseline());
    storage::statement& write = statements_.write_run;
    write.bind(1, run.identity.service).bind(2, run.identity.model).bind(3, run.identity.spec_sha256);
    write.bind(4, run.identity.corpus).bind(5, facts.spec_hash).bind(6, as_stored(facts.dimensions));
    write.bind(7, as_stored(facts.rows_per_chunk)).bind(8, as_stored(observations_of(facts)));
    write.bind(9, std::int64_t{facts.baseline.has_value()}).bind(10, as_stored(baseline.chunks_consumed_period));
    write.bind(11, baseline.period).bind(12, std::int64_t{baseline.taken_at.time_since_epoch().count()});
    write.bind(13, as_stored(facts.extra_chunks)).bind(14, as_stored(run.chunks_forgotten));
    write.bind(15, as_stored(run.next_batch)).bind(16, as_stored(run.commits));
    return write.bind(17, as_stored(run.content_sum)).bind(18, as_stored(run.checksum())).run();
}

result<std::optional<stored_batch>> journal_tables::find_batch(std::uint64_t number) {
    auto found = statements_.find_batch.bind(1, as_stored(number)).step();
    if (!found) {
        return found.error();
    }
    if (!*found) {
        return std::optional<stored_batch>();
    }
    auto stored = read_stored_batch(statements_.find_batch, path_);
    statements_.find_batch.reset();
    if (!stored) {
        return stored.error();
    }
    return std::optional(std::move(*stored));
}

result<void> journal_tables::write_batch(const stored_batch& batch) {
    storage::statement& write = statements_.write_batch;
    write.bind(1, as_stored(batch.number)).bind(2, as_stored(batch.state)).bind(3, batch.ranges);
    write.bind(4, batch.job_id).bind(5, as_stored(batch.chunks)).bind(6, batch.intended_at_ms);
    return write.bind(7, as_stored(batch.checksum())).run();
}

result<void> journal_tables::remove_batch(std::uint64_t number) {
    return statements_.remove_batch.bind(1, as_stored(number)).run();
}

result<bool> journal_tables::insert_failed_row(std::uint64_t row) {
    if (auto inserted = statements_.insert_failed_row.bind(1, as_stored(row)).run(); !inserted) {
        return inserted.error();
    }
    return db_.changes() == 1;
}

}  // namespace vembed::journal
