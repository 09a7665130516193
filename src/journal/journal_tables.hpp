#pragma once
/// The SQLite tables of a journal: opening them for writing, and single rows. Which change is allowed is not decided
/// here.

#include <cstdint>
#include <optional>
#include <string>

#include <vembed/journal/journal.hpp>

#include "journal/journal_record.hpp"
#include "storage/sqlite.hpp"

namespace vembed::journal {

/// Functions are called in the order open, create if the file has no tables yet, prepare, then the others.
class journal_tables {
public:
    journal_tables() = default;

    /// Opens or creates the file at `path` for this process alone.
    result<void> open(std::string path);

    /// Makes the tables, with `run` as the row about the run.
    result<void> create(const run_record& run);

    result<void> prepare();
    void close();

    result<void> begin() { return statements_.begin.run(); }
    result<void> commit() { return statements_.commit.run(); }
    result<void> rollback() { return statements_.rollback.run(); }

    result<void> write_run(const run_record& run);

    /// Nothing if there is no such batch; journal_damaged if its checksum is wrong.
    result<std::optional<stored_batch>> find_batch(std::uint64_t number);

    /// Writes the batch in place of the one of its number.
    result<void> write_batch(const stored_batch& batch);
    result<void> remove_batch(std::uint64_t number);

    /// Whether the row was not among the failed ones yet.
    result<bool> insert_failed_row(std::uint64_t row);
    result<void> clear_failed_rows() { return db_.execute("DELETE FROM failed_row"); }

private:
    std::string path_;
    storage::database db_;
    struct {
        storage::statement begin, commit, rollback, write_run, find_batch, write_batch, remove_batch, insert_failed_row;
    } statements_;
};

}  // namespace vembed::journal
