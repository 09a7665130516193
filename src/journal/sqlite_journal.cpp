#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include <vembed/journal/journal.hpp>

#include "core/row_ranges.hpp"
#include "journal/journal_note.hpp"
#include "journal/journal_reading.hpp"
#include "journal/journal_record.hpp"
#include "journal/journal_takeover.hpp"
#include "journal/log_pages.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "storage/file_size_limit.hpp"
#include "storage/sqlite.hpp"

namespace vembed {
namespace journal {
namespace {

// States are stored as numbers: their order in batch_state must never change.
static_assert(static_cast<int>(batch_state::intent) == 0 && static_cast<int>(batch_state::accepted) == 1 &&
              static_cast<int>(batch_state::done) == 2 && static_cast<int>(batch_state::unknown) == 3);

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

failure misfit(const std::string& why) {
    return {errc::invalid_argument, why};
}

// Failed rows are told once it is known that the run is the same one.
prior_visitor keeping_failed(const prior_visitor& visitor, row_ranges& failed) {
    prior_visitor keeping = visitor;
    if (visitor.failed) {
        keeping.failed = [&failed](std::uint64_t first, std::uint64_t last) -> result<void> {
            failed.emplace_back(first, last);
            return {};
        };
    }
    return keeping;
}

result<void> tell_failed(const row_ranges& failed, const prior_visitor& visitor) {
    for (const auto& [first, last] : failed) {
        if (auto told = visitor.failed(first, last); !told) {
            return told;
        }
    }
    return {};
}

class sqlite_journal final : public run_journal {
public:
    explicit sqlite_journal(std::string path, std::unique_ptr<files_beside> beside = nullptr)
        : path_(std::move(path)), beside_(std::move(beside)) {}

    using run_journal::open;
    result<prior_run> open(const run_identity& identity, const prior_visitor& visitor) override;
    result<void> commit(std::span<const journal_change> changes) override;
    result<std::optional<journalled_batch>> find(std::uint64_t batch) override;

private:
    result<prior_run> begin(const run_identity& identity, const prior_visitor& visitor);
    result<void> undo_half_a_creation();
    result<void> open_database();
    result<void> create(const run_identity& identity);
    [[nodiscard]] bool takes(const run_identity& identity, const journal_content& content) const;
    result<void> take_over(const run_identity& identity);
    result<void> rewrite_for(const run_identity& identity);
    result<void> prepare();
    result<void> in_transaction(std::span<const journal_change> changes);
    result<void> apply(const journal_change& change);
    result<void> insert(const journal_change& change);
    result<void> update(const journal_change& change);
    result<std::optional<stored_batch>> find_stored(std::uint64_t batch);
    result<void> write_batch(const stored_batch& batch);
    result<void> fail(std::uint64_t row);
    result<void> remember(const run_facts& facts);
    result<void> write_run();
    result<void> note_last_commit();

    std::string path_;
    std::unique_ptr<files_beside> beside_;  ///< Null: there are none.
    storage::file_lock lock_;
    storage::database db_;
    run_record run_;      ///< As the file has it, except within a commit.
    bool noted_ = false;  ///< Whether the note says the last commit.
    bool opened_ = false;
    struct {
        storage::statement begin, commit, rollback, write_run, find_batch, write_batch, remove_batch, insert_failed_row;
    } statements_;
};

result<prior_run> sqlite_journal::open(const run_identity& identity, const prior_visitor& visitor) {
    if (opened_) {
        return misfit("the journal " + path_ + " is open already");
    }
    auto prior = begin(identity, visitor);
    opened_ = prior.has_value();
    if (!opened_) {
        statements_ = {};
        db_ = storage::database();
        lock_ = storage::file_lock();
    }
    return prior;
}

// The file is read and believed before anything may write to it.
result<prior_run> sqlite_journal::begin(const run_identity& identity, const prior_visitor& visitor) {
    const std::string folder = storage::folder_of(path_);
    if (auto made = storage::make_folder(storage::system_file_ops(), folder); !made) {
        return made.error();
    }
    auto lock = storage::file_lock::acquire(path_ + ".lock", path_);
    if (!lock) {
        return lock.error();
    }
    lock_ = std::move(*lock);
    if (auto undone = undo_half_a_creation(); !undone) {
        return undone.error();
    }
    row_ranges failed;
    auto content = read_journal_content(path_, keeping_failed(visitor, failed));
    if (!content) {
        return content.error();
    }
    const bool taken_over = *content && (*content)->run.identity != identity && takes(identity, **content);
    if (*content && !taken_over) {
        if (auto same = compare_identity(path_, (*content)->run.identity, identity); !same) {
            return same.error();
        }
        if (auto told = tell_failed(failed, visitor); !told) {
            return told.error();
        }
    }
    if (auto ready = open_database(); !ready) {
        return ready.error();
    }
    if (auto named = storage::sync_folder(storage::system_file_ops(), folder); !named) {
        return named.error();
    }
    if (*content) {
        run_ = std::move((*content)->run);
    } else if (auto made = create(identity); !made) {
        return made.error();
    }
    if (auto ready = prepare(); !ready) {
        return ready.error();
    }
    if (taken_over) {
        if (auto taken = take_over(identity); !taken) {
            return taken.error();
        }
        (*content)->prior = prior_run();
        (*content)->prior.next_batch = run_.next_batch;
    }
    noted_ = false;
    if (auto noted = note_last_commit(); !noted) {
        return noted.error();
    }
    return *content ? std::move((*content)->prior) : prior_run();
}

// A process that died while the file was made leaves a rollback journal, which only a writer may act upon.
result<void> sqlite_journal::undo_half_a_creation() {
    std::error_code unknown;
    if (!std::filesystem::exists(path_ + "-journal", unknown)) {
        return {};
    }
    auto db = storage::database::open(path_);
    if (!db) {
        return db.error();
    }
    auto looked = db->integer("SELECT count(*) FROM sqlite_schema");
    return looked ? result<void>() : result<void>(looked.error());
}

result<void> sqlite_journal::open_database() {
    auto db = storage::database::open(path_);
    if (!db) {
        return db.error();
    }
    db_ = std::move(*db);
    // Exclusive before WAL: then no shared memory file is needed, which network file systems do not have.
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
    const result<std::uint64_t> pages = log_pages_within(storage::file_size_limit());
    if (!pages) {
        return pages.error();
    }
    const std::string settings = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = " + std::to_string(*pages);
    return db_.execute(settings.c_str());
}

// One transaction: a process that dies within it leaves an empty journal, never half a one.
result<void> sqlite_journal::create(const run_identity& identity) {
    run_ = run_record();
    run_.identity = identity;
    run_.commits = 1;
    if (auto begun = db_.execute("BEGIN IMMEDIATE"); !begun) {
        return begun;
    }
    auto made = db_.execute(create_schema);
    if (made) {
        auto write = db_.prepare(replace_run);
        if (write) {
            statements_.write_run = std::move(*write);
            made = write_run();
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

bool sqlite_journal::takes(const run_identity& identity, const journal_content& content) const {
    return may_be_taken_over(content.run.identity, identity, content.prior) ||
           (beside_ && has_nothing_bought(content.prior) && !beside_->may_hold_rows());
}

// A process that dies between the steps leaves the other corpus' journal without failed rows, which the files then need
// not know, and the folder as free as before.
result<void> sqlite_journal::take_over(const run_identity& identity) {
    if (run_.identity.corpus != identity.corpus) {
        const run_identity other = run_.identity;
        auto cleared = rewrite_for(other);
        cleared = cleared ? beside_->remove_descriptions() : cleared;
        if (!cleared) {
            return cleared;
        }
    }
    return rewrite_for(identity);
}

// What failed under another model or service need not fail under this one.
result<void> sqlite_journal::rewrite_for(const run_identity& identity) {
    const run_record before = run_;
    run_.identity = identity;
    run_.facts = run_facts();
    run_.content_sum = 0;  // There are no batches.
    ++run_.commits;
    auto done = statements_.begin.run();
    done = done ? db_.execute("DELETE FROM failed_row") : done;
    done = done ? write_run() : done;
    done = done ? statements_.commit.run() : done;
    if (!done) {
        run_ = before;
        (void)statements_.rollback.run();  // `done` says why; a failed COMMIT may have rolled back already
    }
    return done;
}

result<void> sqlite_journal::prepare() {
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

result<void> sqlite_journal::commit(std::span<const journal_change> changes) {
    if (!opened_) {
        return misfit("the journal " + path_ + " is not open");
    }
    for (const journal_change& change : changes) {
        if (const std::string why = why_refused(change); !why.empty()) {
            return misfit(why);
        }
    }
    if (changes.empty()) {
        return {};
    }
    // Where the last commit could not be noted, no other is made before it is: one at most goes without.
    if (auto noted = note_last_commit(); !noted) {
        return noted;
    }
    const run_record before = run_;
    if (auto done = in_transaction(changes); !done) {
        run_ = before;
        (void)statements_.rollback.run();  // `done` says why; a failed COMMIT may have rolled back already
        return done;
    }
    noted_ = false;
    (void)note_last_commit();  // What failed is said by the next commit: this one is durable.
    return {};
}

result<void> sqlite_journal::in_transaction(std::span<const journal_change> changes) {
    if (auto begun = statements_.begin.run(); !begun) {
        return begun;
    }
    for (const journal_change& change : changes) {
        if (auto applied = apply(change); !applied) {
            return applied;
        }
    }
    ++run_.commits;
    if (auto written = write_run(); !written) {
        return written;
    }
    return statements_.commit.run();
}

result<void> sqlite_journal::apply(const journal_change& change) {
    switch (change.what) {
        case journal_change::action::intend: return insert(change);
        case journal_change::action::accept:
        case journal_change::action::complete:
        case journal_change::action::forget:
        case journal_change::action::mark_unknown:
        case journal_change::action::doubt: return update(change);
        case journal_change::action::fail_row: return fail(change.number);
        case journal_change::action::remember: return remember(*change.facts);
    }
    return misfit("no such change of a journal");
}

result<void> sqlite_journal::insert(const journal_change& change) {
    const auto there = find_stored(change.number);
    if (!there) {
        return there.error();
    }
    if (*there) {
        return misfit("batch " + std::to_string(change.number) + " is in the journal " + path_ + " already");
    }
    stored_batch made;
    made.number = change.number;
    made.ranges = core::to_text(change.rows);
    made.chunks = change.chunks;
    made.intended_at_ms = change.intended_at.time_since_epoch().count();
    run_.next_batch = std::max(run_.next_batch, change.number + 1);
    return write_batch(made);
}

result<void> sqlite_journal::update(const journal_change& change) {
    auto there = find_stored(change.number);
    if (!there) {
        return there.error();
    }
    if (!*there || !may_follow(static_cast<batch_state>((*there)->state), change.what)) {
        return misfit("batch " + std::to_string(change.number) +
                      (*there ? " is " + std::string(to_string(static_cast<batch_state>((*there)->state)))
                              : std::string(" is not")) +
                      " in the journal " + path_ + ": it cannot be " + std::string(to_string(change.what)));
    }
    stored_batch& batch = **there;
    run_.content_sum -= batch.checksum();
    switch (change.what) {
        case journal_change::action::accept:
            batch.state = static_cast<std::uint64_t>(batch_state::accepted);
            batch.job_id = change.job_id;
            batch.chunks = change.chunks;
            break;
        case journal_change::action::complete: batch.state = static_cast<std::uint64_t>(batch_state::done); break;
        case journal_change::action::mark_unknown:
        case journal_change::action::doubt:
            batch.state = static_cast<std::uint64_t>(batch_state::unknown);
            batch.job_id.clear();
            break;
        default:
            if (change.chunks >
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - run_.chunks_forgotten) {
                return misfit("the journal cannot hold numbers over 2^63 - 1");
            }
            run_.chunks_forgotten += change.chunks;
            return statements_.remove_batch.bind(1, as_stored(batch.number)).run();
    }
    return write_batch(batch);
}

result<std::optional<journalled_batch>> sqlite_journal::find(std::uint64_t batch) {
    if (!opened_) {
        return misfit("the journal " + path_ + " is not open");
    }
    auto stored = find_stored(batch);
    if (!stored) {
        return stored.error();
    }
    if (!*stored) {
        return std::optional<journalled_batch>();
    }
    auto found = read_batch(std::move(**stored));
    if (!found) {
        return journal_cannot_be_trusted(path_, "batch " + std::to_string(batch) + " makes no sense");
    }
    return found;
}

result<std::optional<stored_batch>> sqlite_journal::find_stored(std::uint64_t batch) {
    auto found = statements_.find_batch.bind(1, as_stored(batch)).step();
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

result<void> sqlite_journal::write_batch(const stored_batch& batch) {
    const std::uint64_t checksum = batch.checksum();
    run_.content_sum += checksum;
    storage::statement& write = statements_.write_batch;
    write.bind(1, as_stored(batch.number)).bind(2, as_stored(batch.state)).bind(3, batch.ranges);
    write.bind(4, batch.job_id).bind(5, as_stored(batch.chunks)).bind(6, batch.intended_at_ms);
    return write.bind(7, as_stored(checksum)).run();
}

result<void> sqlite_journal::fail(std::uint64_t row) {
    auto inserted = statements_.insert_failed_row.bind(1, as_stored(row)).run();
    if (inserted && db_.changes() == 1) {
        run_.content_sum += failed_row_checksum(row);
    }
    return inserted;
}

result<void> sqlite_journal::remember(const run_facts& facts) {
    const run_facts& now = run_.facts;
    if (!now.spec_hash.empty() && now.spec_hash != facts.spec_hash) {
        return misfit("the run's spec_hash is " + now.spec_hash + " and cannot become \"" + facts.spec_hash + "\"");
    }
    if (now.dimensions != 0 && now.dimensions != facts.dimensions) {
        return misfit("the run's rows have " + std::to_string(now.dimensions) + " dimensions and cannot have " +
                      std::to_string(facts.dimensions));
    }
    run_.facts = facts;
    return {};
}

result<void> sqlite_journal::write_run() {
    const run_facts& facts = run_.facts;
    const account_baseline baseline = facts.baseline.value_or(account_baseline());
    storage::statement& write = statements_.write_run;
    write.bind(1, run_.identity.service).bind(2, run_.identity.model).bind(3, run_.identity.spec_sha256);
    write.bind(4, run_.identity.corpus).bind(5, facts.spec_hash).bind(6, as_stored(facts.dimensions));
    write.bind(7, as_stored(facts.rows_per_chunk)).bind(8, as_stored(observations_of(facts)));
    write.bind(9, std::int64_t{facts.baseline.has_value()}).bind(10, as_stored(baseline.chunks_consumed_period));
    write.bind(11, baseline.period).bind(12, std::int64_t{baseline.taken_at.time_since_epoch().count()});
    write.bind(13, as_stored(facts.extra_chunks)).bind(14, as_stored(run_.chunks_forgotten));
    write.bind(15, as_stored(run_.next_batch)).bind(16, as_stored(run_.commits));
    return write.bind(17, as_stored(run_.content_sum)).bind(18, as_stored(run_.checksum())).run();
}

result<void> sqlite_journal::note_last_commit() {
    if (noted_) {
        return {};
    }
    commit_note note;
    note.commits = run_.commits;
    note.checksum = run_.checksum();
    auto written = write_note(lock_.fd(), path_ + ".lock", note);
    noted_ = written.has_value();
    return written;
}

}  // namespace

std::unique_ptr<run_journal> make_sqlite_journal(std::string path, std::unique_ptr<files_beside> beside) {
    return std::make_unique<sqlite_journal>(std::move(path), std::move(beside));
}

}  // namespace journal

std::unique_ptr<run_journal> make_sqlite_journal(std::string path) {
    return std::make_unique<journal::sqlite_journal>(std::move(path));
}

}  // namespace vembed
