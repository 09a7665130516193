#include <algorithm>
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
#include "journal/journal_tables.hpp"
#include "journal/journal_takeover.hpp"
#include "storage/file_lock.hpp"
#include "storage/file_ops.hpp"
#include "storage/sqlite.hpp"

namespace vembed {
namespace journal {
namespace {

// States are stored as numbers, so their order in batch_state must never change.
static_assert(static_cast<int>(batch_state::intent) == 0 && static_cast<int>(batch_state::accepted) == 1 &&
              static_cast<int>(batch_state::done) == 2 && static_cast<int>(batch_state::unknown) == 3);

error misfit(const std::string& why) {
    return {errc::invalid_argument, why};
}

// The visitor gets the failed rows only after the run is known to be the same one, so they are collected first.
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
    result<void> create(const run_identity& identity);
    [[nodiscard]] bool takes(const run_identity& identity, const journal_content& content) const;
    result<void> take_over(const run_identity& identity);
    result<void> rewrite_for(const run_identity& identity);
    result<void> in_transaction(std::span<const journal_change> changes);
    result<void> apply(const journal_change& change);
    result<void> insert(const journal_change& change);
    result<void> update(const journal_change& change);
    result<void> write_batch(const stored_batch& batch);
    result<void> fail(std::uint64_t row);
    result<void> remember(const run_facts& facts);
    result<void> note_last_commit();

    std::string path_;
    std::unique_ptr<files_beside> beside_;  ///< Null if there are no files beside the journal.
    storage::file_lock lock_;
    journal_tables tables_;
    run_record run_;      ///< Equal to the file's row, except within a commit.
    bool noted_ = false;  ///< Whether the note names the last commit.
    bool opened_ = false;
};

result<prior_run> sqlite_journal::open(const run_identity& identity, const prior_visitor& visitor) {
    if (opened_) {
        return misfit("the journal " + path_ + " is open already");
    }
    auto prior = begin(identity, visitor);
    opened_ = prior.has_value();
    if (!opened_) {
        tables_.close();
        lock_ = storage::file_lock();
    }
    return prior;
}

// The file is read and checked before anything may write to it.
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
    if (auto ready = tables_.open(path_); !ready) {
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
    if (auto ready = tables_.prepare(); !ready) {
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

// A process that died while it made the file leaves a rollback journal, which only a writer may apply.
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

result<void> sqlite_journal::create(const run_identity& identity) {
    run_ = run_record();
    run_.identity = identity;
    run_.commits = 1;
    return tables_.create(run_);
}

bool sqlite_journal::takes(const run_identity& identity, const journal_content& content) const {
    return may_be_taken_over(content.run.identity, identity, content.prior) ||
           (beside_ && beside_->take_any_corpus(content.prior));
}

// If the process dies between the steps, the other corpus's journal has no failed rows, so the files need not describe
// any, and the folder can still be taken over.
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

// Failed rows are cleared because a row that failed under another model or service need not fail under this one.
result<void> sqlite_journal::rewrite_for(const run_identity& identity) {
    const run_record before = run_;
    run_.identity = identity;
    run_.facts = run_facts();
    run_.content_sum = 0;  // There are no batches.
    ++run_.commits;
    auto done = tables_.begin();
    done = done ? tables_.clear_failed_rows() : done;
    done = done ? tables_.write_run(run_) : done;
    done = done ? tables_.commit() : done;
    if (!done) {
        run_ = before;
        (void)tables_.rollback();  // `done` says why; a failed COMMIT may have rolled back already
    }
    return done;
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
    // If the last commit could not be noted, that is done before the next one: at most one commit is without a note.
    if (auto noted = note_last_commit(); !noted) {
        return noted;
    }
    const run_record before = run_;
    if (auto done = in_transaction(changes); !done) {
        run_ = before;
        (void)tables_.rollback();  // `done` says why; a failed COMMIT may have rolled back already
        return done;
    }
    noted_ = false;
    (void)note_last_commit();  // This commit is durable, so the next commit reports an error of the note.
    return {};
}

result<void> sqlite_journal::in_transaction(std::span<const journal_change> changes) {
    if (auto begun = tables_.begin(); !begun) {
        return begun;
    }
    for (const journal_change& change : changes) {
        if (auto applied = apply(change); !applied) {
            return applied;
        }
    }
    ++run_.commits;
    if (auto written = tables_.write_run(run_); !written) {
        return written;
    }
    return tables_.commit();
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
    const auto there = tables_.find_batch(change.number);
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
    auto there = tables_.find_batch(change.number);
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
            return tables_.remove_batch(batch.number);
    }
    return write_batch(batch);
}

result<std::optional<journalled_batch>> sqlite_journal::find(std::uint64_t batch) {
    if (!opened_) {
        return misfit("the journal " + path_ + " is not open");
    }
    auto stored = tables_.find_batch(batch);
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

result<void> sqlite_journal::write_batch(const stored_batch& batch) {
    run_.content_sum += batch.checksum();
    return tables_.write_batch(batch);
}

result<void> sqlite_journal::fail(std::uint64_t row) {
    const auto inserted = tables_.insert_failed_row(row);
    if (!inserted) {
        return inserted.error();
    }
    run_.content_sum += *inserted ? failed_row_checksum(row) : 0;
    return {};
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
