#include <array>
#include <limits>
#include <optional>
#include <utility>

#include <vembed/bulk/journal.hpp>

#include "bulk/row_ranges.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "storage/sqlite.hpp"

namespace vembed {
namespace bulk {
namespace {

constexpr std::int64_t application_id = 0x766d6264;  // "vmbd"
constexpr std::int64_t schema_version = 1;

// States are stored as numbers: their order in batch_state must never change.
static_assert(static_cast<int>(batch_state::intent) == 0 && static_cast<int>(batch_state::accepted) == 1 &&
              static_cast<int>(batch_state::done) == 2 && static_cast<int>(batch_state::unknown) == 3);

constexpr const char* create_schema = R"sql(
    CREATE TABLE run (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        service TEXT NOT NULL, model TEXT NOT NULL, spec_sha256 TEXT NOT NULL, corpus TEXT NOT NULL) STRICT;
    CREATE TABLE batch (
        number INTEGER PRIMARY KEY,
        state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
        row_ranges TEXT NOT NULL,
        job_id TEXT NOT NULL DEFAULT '',
        chunks INTEGER NOT NULL) STRICT;
    CREATE TABLE failed_row (number INTEGER PRIMARY KEY) STRICT;
    PRAGMA application_id = 1986880100;
    PRAGMA user_version = 1;
)sql";
static_assert(application_id == 1986880100 && schema_version == 1);

bool fits_sqlite(std::uint64_t number) {
    return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

failure too_large(std::uint64_t number) {
    return {errc::invalid_argument, "the journal cannot hold the number " + std::to_string(number)};
}

class sqlite_journal final : public run_journal {
public:
    explicit sqlite_journal(std::string path) : path_(std::move(path)) {}

    result<prior_run> open(const run_identity& identity) override;
    result<void> intend(std::uint64_t batch, const row_ranges& rows, std::uint64_t chunks_estimated) override;
    result<void> accept(std::uint64_t batch, const std::string& job_id, std::uint64_t chunks) override;
    result<void> complete(std::uint64_t batch) override;
    result<void> forget(std::uint64_t batch) override;
    result<void> mark_unknown(std::uint64_t batch) override;
    result<void> fail_row(std::uint64_t row) override;

private:
    result<prior_run> begin(const run_identity& identity);
    result<void> open_database();
    result<void> check_health();
    result<void> adopt_schema(const run_identity& identity);
    result<void> create(const run_identity& identity);
    result<void> compare(const run_identity& identity);
    result<prior_run> read_prior();
    result<journalled_batch> read_batch(const storage::statement& row) const;
    result<void> prepare();
    result<void> change(storage::statement& update, std::uint64_t batch, std::string_view what);
    [[nodiscard]] failure damaged(const std::string& why) const;

    std::string path_;
    storage::file_lock lock_;
    storage::database db_;
    bool opened_ = false;
    struct {
        storage::statement insert_batch, accept, complete, forget, mark_unknown, insert_failed_row;
    } statements_;
};

failure sqlite_journal::damaged(const std::string& why) const {
    return {errc::journal_damaged, "the journal " + path_ + " cannot be trusted: " + why +
                                       "; restore it from a copy, or start a new run in another folder"};
}

result<prior_run> sqlite_journal::open(const run_identity& identity) {
    if (opened_) {
        return failure(errc::invalid_argument, "the journal " + path_ + " is open already");
    }
    auto prior = begin(identity);
    opened_ = prior.has_value();
    if (!opened_) {
        statements_ = {};
        db_ = storage::database();
        lock_ = storage::file_lock();
    }
    return prior;
}

result<prior_run> sqlite_journal::begin(const run_identity& identity) {
    if (auto step = open_database(); !step) {
        return step.error();
    }
    if (auto step = check_health(); !step) {
        return step.error();
    }
    if (auto step = adopt_schema(identity); !step) {
        return step.error();
    }
    if (auto step = prepare(); !step) {
        return step.error();
    }
    return read_prior();
}

result<void> sqlite_journal::open_database() {
    const std::string folder = storage::folder_of(path_);
    if (auto made = storage::make_folder(storage::system_file_ops(), folder); !made) {
        return made;
    }
    auto lock = storage::file_lock::acquire(path_ + ".lock", path_);
    if (!lock) {
        return lock.error();
    }
    lock_ = std::move(*lock);
    auto db = storage::database::open(path_);
    if (!db) {
        return db.error();
    }
    db_ = std::move(*db);
    // Exclusive before WAL: then no shared memory file is needed, and network file systems do.
    if (auto set = db_.execute("PRAGMA locking_mode = EXCLUSIVE"); !set) {
        return set;
    }
    auto mode = db_.text("PRAGMA journal_mode = WAL");
    if (!mode) {
        return mode.error();
    }
    if (*mode != "wal") {
        return failure(errc::io, "cannot use " + path_ + ": the file system does not allow a write-ahead log");
    }
    if (auto set = db_.execute("PRAGMA synchronous = FULL"); !set) {
        return set;
    }
    return storage::sync_folder(storage::system_file_ops(), folder);
}

result<void> sqlite_journal::check_health() {
    auto verdict = db_.text("PRAGMA quick_check(1)");
    if (!verdict) {
        return verdict.error();
    }
    if (*verdict != "ok") {
        return damaged(*verdict);
    }
    return {};
}

result<void> sqlite_journal::adopt_schema(const run_identity& identity) {
    auto tables = db_.integer("SELECT count(*) FROM sqlite_schema");
    auto application = db_.integer("PRAGMA application_id");
    auto version = db_.integer("PRAGMA user_version");
    for (const auto* read : {&tables, &application, &version}) {
        if (!*read) {
            return read->error();
        }
    }
    if (*tables == 0 && *application == 0 && *version == 0) {
        return create(identity);
    }
    if (*application != application_id) {
        return failure(errc::folder_mismatch, path_ + " is a database of another program; choose another folder");
    }
    if (*version != schema_version) {
        return failure(errc::folder_mismatch,
                       path_ + " has the format " + std::to_string(*version) + ", this version reads " +
                           std::to_string(schema_version) +
                           "; go on with the version that began the run, or choose another folder");
    }
    return compare(identity);
}

// One transaction: a process that dies within it leaves an empty journal, never half a one.
result<void> sqlite_journal::create(const run_identity& identity) {
    if (auto begun = db_.execute("BEGIN IMMEDIATE"); !begun) {
        return begun;
    }
    auto made = db_.execute(create_schema);
    if (made) {
        auto insert = db_.prepare("INSERT INTO run VALUES (1, ?1, ?2, ?3, ?4)");
        if (insert) {
            insert->bind(1, identity.service).bind(2, identity.model);
            made = insert->bind(3, identity.spec_sha256).bind(4, identity.corpus).run();
        } else {
            made = insert.error();
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

result<void> sqlite_journal::compare(const run_identity& identity) {
    auto query = db_.prepare("SELECT service, model, spec_sha256, corpus FROM run WHERE id = 1");
    if (!query) {
        return query.error();
    }
    auto row = query->step();
    if (!row) {
        return row.error();
    }
    if (!*row) {
        return damaged("it does not say which run it belongs to");
    }
    struct field {
        const char* name;
        const std::string& now;
    };
    const std::array<field, 4> fields{{{"service", identity.service},
                                       {"model", identity.model},
                                       {"specification (SHA-256)", identity.spec_sha256},
                                       {"corpus (SHA-256 of content and format)", identity.corpus}}};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string_view then = query->text(static_cast<int>(i));
        if (then != fields[i].now) {
            return failure(errc::folder_mismatch, "the journal " + path_ + " belongs to another run: its " +
                                                      fields[i].name + " is \"" + std::string(then) +
                                                      "\", this run's is \"" + fields[i].now +
                                                      "\"; repeat that run, or choose another folder");
        }
    }
    return {};
}

result<void> sqlite_journal::prepare() {
    constexpr const char* insert_batch_sql =
        "INSERT OR IGNORE INTO batch (number, state, row_ranges, chunks) "
        "VALUES (?1, 0, ?2, ?3)";
    const std::array<std::pair<storage::statement*, const char*>, 6> all{
        {{&statements_.insert_batch, insert_batch_sql},
         {&statements_.accept,
          "UPDATE batch SET state = 1, job_id = ?2, chunks = ?3 WHERE number = ?1 AND state IN (0, 3)"},
         {&statements_.complete, "UPDATE batch SET state = 2 WHERE number = ?1 AND state = 1"},
         {&statements_.forget, "DELETE FROM batch WHERE number = ?1 AND state <> 2"},
         {&statements_.mark_unknown, "UPDATE batch SET state = 3 WHERE number = ?1 AND state IN (0, 3)"},
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

result<journalled_batch> sqlite_journal::read_batch(const storage::statement& row) const {
    journalled_batch batch;
    const std::int64_t number = row.integer(0);
    const std::int64_t state = row.integer(1);
    auto ranges = ranges_from_text(row.text(2));
    const std::int64_t chunks = row.integer(4);
    batch.job_id = row.text(3);
    const bool has_job =
        state == static_cast<int>(batch_state::accepted) || state == static_cast<int>(batch_state::done);
    if (number < 0 || state < 0 || state > 3 || chunks < 0 || !ranges || ranges->empty() ||
        (has_job && batch.job_id.empty())) {
        return damaged("batch " + std::to_string(number) + " makes no sense");
    }
    batch.batch = static_cast<std::uint64_t>(number);
    batch.state = static_cast<batch_state>(state);
    batch.rows = std::move(*ranges);
    batch.chunks = static_cast<std::uint64_t>(chunks);
    return batch;
}

result<prior_run> sqlite_journal::read_prior() {
    prior_run prior;
    auto batches = db_.prepare("SELECT number, state, row_ranges, job_id, chunks FROM batch ORDER BY number");
    if (!batches) {
        return batches.error();
    }
    for (;;) {
        auto more = batches->step();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            break;
        }
        auto batch = read_batch(*batches);
        if (!batch) {
            return batch.error();
        }
        prior.batches.push_back(std::move(*batch));
    }
    auto failed = db_.prepare("SELECT number FROM failed_row ORDER BY number");
    if (!failed) {
        return failed.error();
    }
    for (;;) {
        auto more = failed->step();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return prior;
        }
        if (failed->integer(0) < 0) {
            return damaged("a failed row has a negative number");
        }
        prior.failed_rows.push_back(static_cast<std::uint64_t>(failed->integer(0)));
    }
}

// Every update names the states it may start from; a batch in another state is an error of the caller.
result<void> sqlite_journal::change(storage::statement& update, std::uint64_t batch, std::string_view what) {
    if (!opened_) {
        return failure(errc::invalid_argument, "the journal " + path_ + " is not open");
    }
    if (!fits_sqlite(batch)) {
        update.reset();
        return too_large(batch);
    }
    if (auto ran = update.bind(1, static_cast<std::int64_t>(batch)).run(); !ran) {
        return ran;
    }
    if (db_.changes() != 1) {
        return failure(errc::invalid_argument, "batch " + std::to_string(batch) + " cannot be " + std::string(what) +
                                                   " in its state in the journal " + path_);
    }
    return {};
}

result<void> sqlite_journal::intend(std::uint64_t batch, const row_ranges& rows, std::uint64_t chunks_estimated) {
    if (rows.empty() || !is_well_formed(rows)) {
        return failure(errc::invalid_argument, "the rows of batch " + std::to_string(batch) + " are not ranges");
    }
    if (!fits_sqlite(chunks_estimated)) {
        return too_large(chunks_estimated);
    }
    if (opened_) {
        statements_.insert_batch.bind(2, to_text(rows)).bind(3, static_cast<std::int64_t>(chunks_estimated));
    }
    return change(statements_.insert_batch, batch, "intended again");
}

result<void> sqlite_journal::accept(std::uint64_t batch, const std::string& job_id, std::uint64_t chunks) {
    if (job_id.empty()) {
        return failure(errc::invalid_argument, "batch " + std::to_string(batch) + " was accepted without a job id");
    }
    if (!fits_sqlite(chunks)) {
        return too_large(chunks);
    }
    if (opened_) {
        statements_.accept.bind(2, job_id).bind(3, static_cast<std::int64_t>(chunks));
    }
    return change(statements_.accept, batch, "accepted");
}

result<void> sqlite_journal::complete(std::uint64_t batch) {
    return change(statements_.complete, batch, "completed");
}

result<void> sqlite_journal::forget(std::uint64_t batch) {
    return change(statements_.forget, batch, "forgotten");
}

result<void> sqlite_journal::mark_unknown(std::uint64_t batch) {
    return change(statements_.mark_unknown, batch, "marked unknown");
}

result<void> sqlite_journal::fail_row(std::uint64_t row) {
    if (!opened_) {
        return failure(errc::invalid_argument, "the journal " + path_ + " is not open");
    }
    if (!fits_sqlite(row)) {
        return too_large(row);
    }
    return statements_.insert_failed_row.bind(1, static_cast<std::int64_t>(row)).run();
}

}  // namespace
}  // namespace bulk

std::unique_ptr<run_journal> make_sqlite_journal(std::string path) {
    return std::make_unique<bulk::sqlite_journal>(std::move(path));
}

}  // namespace vembed
