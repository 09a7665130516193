#pragma once
/// Reads a journal's whole file and accepts only what its checksums confirm.

#include <optional>
#include <string>

#include <vembed/core/row_ranges.hpp>
#include <vembed/journal/journal.hpp>

#include "journal/journal_record.hpp"
#include "storage/sqlite.hpp"

namespace vembed::journal {

inline constexpr std::int64_t journal_application_id = 0x766d6264;  // "vmbd"
inline constexpr std::int64_t journal_schema_version = 2;

/// The start of a query for batches; read_stored_batch() needs these columns.
inline constexpr const char* select_batch_columns =
    "SELECT number, state, row_ranges, job_id, chunks, intended_at, checksum FROM batch ";

/// A journal's content at one commit.
class journal_content {
public:
    run_record run;
    prior_run prior;

    journal_content() = default;
};

error journal_cannot_be_trusted(const std::string& path, const std::string& why);

/// folder_mismatch if the journal is another run's; the message names every field that differs.
result<void> compare_identity(const std::string& path, const run_identity& then, const run_identity& now);

/// Reads one row of select_batch_columns; journal_damaged if its checksum is wrong.
result<stored_batch> read_stored_batch(const storage::statement& row, const std::string& path);

/// Returns nothing if the file has no tables yet. The note of the last commit is read from `path`.lock.
result<std::optional<journal_content>> read_journal_content(const std::string& path, const prior_visitor& visitor);

/// read_journal(), which sets `failed`, if it is not null, to the failed rows. They are ranges, so that the memory does
/// not grow with a run of rows that failed one after the other.
result<journal_reading> read_journal_and_failed(const std::string& path, row_ranges* failed);

}  // namespace vembed::journal
