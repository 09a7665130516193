#pragma once
/// Reads a journal's file whole and believes nothing of it that its checksums do not bear out.

#include <optional>
#include <string>

#include <vembed/journal/journal.hpp>

#include "journal/journal_record.hpp"
#include "storage/sqlite.hpp"

namespace vembed::journal {

inline constexpr std::int64_t journal_application_id = 0x766d6264;  // "vmbd"
inline constexpr std::int64_t journal_schema_version = 2;

/// What stands in front of a journal's run row.
inline constexpr const char* select_batch_columns =
    "SELECT number, state, row_ranges, job_id, chunks, intended_at, checksum FROM batch ";

/// A journal's content at one commit.
class journal_content {
public:
    run_record run;
    prior_run prior;

    journal_content() = default;
};

failure journal_cannot_be_trusted(const std::string& path, const std::string& why);

/// folder_mismatch where the journal is another run's, naming every field that differs.
result<void> compare_identity(const std::string& path, const run_identity& then, const run_identity& now);

/// One row of select_batch_columns, whose checksum holds; journal_damaged otherwise.
result<stored_batch> read_stored_batch(const storage::statement& row, const std::string& path);

/// Nothing where the file has no tables yet. `path`.lock is looked at for the last commit.
result<std::optional<journal_content>> read_journal_content(const std::string& path, const prior_visitor& visitor);

}  // namespace vembed::journal
