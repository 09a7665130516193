#pragma once
/// @file
/// What a bulk run remembers across processes, so that the same call continues an earlier one and nothing is paid for
/// twice.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/row_ranges.hpp>
#include <vembed/core/time.hpp>

namespace vembed {

/// What makes two runs the same run. Every field is compared; a difference is named to the user.
class run_identity {
public:
    std::string service;      ///< The base URL.
    std::string model;        ///< Or empty with spec_sha256.
    std::string spec_sha256;  ///< The SHA-256 of the older form's specification.
    std::string corpus;  ///< SHA-256 over the corpus' content and format options, in hex, as the caller computes it.

    run_identity() = default;
    friend bool operator==(const run_identity&, const run_identity&) = default;
};

enum class batch_state : std::uint8_t {
    intent,    ///< About to be sent, or sent; in a journal that is opened again it is in doubt.
    accepted,  ///< Has a job id; its rows are not on disk yet.
    done,      ///< Its rows are durable in the sink.
    unknown,   ///< In doubt: sent without a usable response, or its job is not known to be its own.
};

std::string_view to_string(batch_state state) noexcept;

class journalled_batch {
public:
    std::uint64_t batch = 0;
    batch_state state = batch_state::intent;
    row_ranges rows;
    std::string job_id;
    std::uint64_t chunks = 0;  ///< The charged number once accepted, the estimate before.
    wall_time intended_at{};   ///< When it was about to be sent; a bulk run begins within 5 s of that or not at all.

    journalled_batch() = default;
};

/// The account's count of used chunks at one moment.
class account_baseline {
public:
    std::uint64_t chunks_consumed_period = 0;
    std::string period;  ///< The period of that count, as the service names it.
    wall_time taken_at{};

    account_baseline() = default;
    friend bool operator==(const account_baseline&, const account_baseline&) = default;
};

/// What a run knows beyond its batches.
class run_facts {
public:
    std::string spec_hash;               ///< The first receipt's spec_hash; empty: none was seen. Once set it stays.
    std::uint64_t dimensions = 0;        ///< The dimensions of its rows; 0: not known. Once set they stay.
    std::uint64_t rows_per_chunk = 0;    ///< At least this many; 0: not known.
    bool charged_on_acceptance = false;  ///< The account's count was seen to rise while a job was under way.
    bool jobs_came_to_nothing = false;   ///< A job failed or was refunded: what was charged for it may be given back.
    std::optional<account_baseline> baseline;  ///< Taken before the run's first submission.
    std::uint64_t extra_chunks = 0;            ///< Used so far by resubmitting batches in doubt.

    run_facts() = default;
    friend bool operator==(const run_facts&, const run_facts&) = default;
};

/// What an earlier process left.
class prior_run {
public:
    std::vector<journalled_batch> batches;   ///< By batch number. An `intent` was in flight when its process ended.
    std::vector<std::uint64_t> failed_rows;  ///< Ascending.
    run_facts facts;
    std::uint64_t batches_done = 0;
    std::uint64_t rows_done = 0;
    std::uint64_t rows_failed = 0;
    /// The charge of every job that was ever accepted, less what forget() said came back.
    std::uint64_t chunks_charged = 0;
    std::uint64_t next_batch = 0;  ///< Higher than every number ever intended.

    prior_run() = default;
};

/// Receives done batches and failed rows one by one while a journal is read, because there can be many. What a function
/// receives is not in the prior_run; if a function is empty, the prior_run has it. An error from a function ends the
/// reading with that error. If the reading fails, everything received until then is invalid.
class prior_visitor {
public:
    std::function<result<void>(const journalled_batch&)> done;  ///< Each batch that is done, by number.
    std::function<result<void>(std::uint64_t first, std::uint64_t last)> failed;  ///< Rows [first, last), ascending.

    prior_visitor() = default;
};

/// One change that a journal records.
class journal_change {
public:
    enum class action : std::uint8_t { intend, accept, complete, forget, mark_unknown, doubt, fail_row, remember };

    /// A batch is about to be sent: all waiting for its turn is over. `batch` is a number not in the journal; `rows` is
    /// not empty.
    static journal_change intend(std::uint64_t batch, row_ranges rows, std::uint64_t chunks_estimated, wall_time now);
    static journal_change accept(std::uint64_t batch, std::string job_id, std::uint64_t chunks);
    static journal_change complete(std::uint64_t batch);

    /// The batch was certainly not accepted, or its job gave no usable rows: its rows are to be batched again.
    /// `chunks_charged` is what its job cost nevertheless; it stays in prior_run::chunks_charged.
    static journal_change forget(std::uint64_t batch, std::uint64_t chunks_charged = 0);
    static journal_change mark_unknown(std::uint64_t batch);

    /// The job of a batch that was accepted or is done is not known to be its own: the batch loses its job id and is in
    /// doubt.
    static journal_change doubt(std::uint64_t batch);

    /// Records a row as failed; recording the same row again changes nothing.
    static journal_change fail_row(std::uint64_t row);

    /// Replaces all facts remembered before. invalid_argument if spec_hash or dimensions were set and now differ.
    static journal_change remember(run_facts facts);

    action what = action::complete;
    std::uint64_t number = 0;  ///< The number of the batch or the row.
    row_ranges rows;
    std::string job_id;
    std::uint64_t chunks = 0;
    wall_time intended_at{};
    std::optional<run_facts> facts;

private:
    journal_change() = default;
    journal_change(action done, std::uint64_t to) : what(done), number(to) {}
};

/// The action as messages name what a batch cannot be: "accepted", "completed", ….
std::string_view to_string(journal_change::action what) noexcept;

/// A run's journal. It is called on the environment's worker thread, one call at a time.
///
/// A batch goes intent → accepted → done; intent → unknown → accepted if a lost response is found after all; accepted
/// or done → unknown if its job turns out not to be known for its own. It can be forgotten in any of these states but
/// done. Numbers are at most 2^63 - 1.
class run_journal {
public:
    run_journal() = default;
    run_journal(const run_journal&) = delete;
    run_journal& operator=(const run_journal&) = delete;
    virtual ~run_journal() = default;

    /// Begins or continues a run; it is called once, before anything else. folder_mismatch if the journal belongs to
    /// another run (the message names what differs; a journal in which nothing can have been bought is taken over by a
    /// run of the same corpus) or is in use by another process; journal_damaged if it cannot be trusted. Both errors
    /// leave the file as it is.
    virtual result<prior_run> open(const run_identity& identity, const prior_visitor& visitor) = 0;
    result<prior_run> open(const run_identity& identity) { return open(identity, prior_visitor()); }

    /// Records all changes, in their order, or none; returns when they are durable. invalid_argument if one does not
    /// fit the state its batch has by then. io if the file cannot be written: then nothing is recorded, except that a
    /// disk that fails while it makes a commit durable may have kept it; the next open() shows which.
    virtual result<void> commit(std::span<const journal_change> changes) = 0;

    /// Returns a batch as it is now, or nothing if the journal has no batch of that number. journal_damaged if somebody
    /// else changed it.
    virtual result<std::optional<journalled_batch>> find(std::uint64_t batch) = 0;

    /// Records one change alone.
    result<void> record(const journal_change& change) { return commit(std::span(&change, 1)); }
    result<void> intend(std::uint64_t batch, row_ranges rows, std::uint64_t chunks_estimated, wall_time now = {}) {
        return record(journal_change::intend(batch, std::move(rows), chunks_estimated, now));
    }
    result<void> accept(std::uint64_t batch, std::string job_id, std::uint64_t chunks) {
        return record(journal_change::accept(batch, std::move(job_id), chunks));
    }
    result<void> complete(std::uint64_t batch) { return record(journal_change::complete(batch)); }
    result<void> forget(std::uint64_t batch, std::uint64_t chunks_charged = 0) {
        return record(journal_change::forget(batch, chunks_charged));
    }
    result<void> mark_unknown(std::uint64_t batch) { return record(journal_change::mark_unknown(batch)); }
    result<void> doubt(std::uint64_t batch) { return record(journal_change::doubt(batch)); }
    result<void> fail_row(std::uint64_t row) { return record(journal_change::fail_row(row)); }
    result<void> remember(run_facts facts) { return record(journal_change::remember(std::move(facts))); }
};

/// A journal in an SQLite file (WAL, synchronous=FULL), created with its folder if it does not exist. `path`.lock
/// beside it is locked while the journal is open, and stays.
///
/// Every row carries a checksum, and all rows together carry another one: what was changed or lost on the disk is
/// reported as journal_damaged. `path`-wal is part of the journal. `path`.lock notes the last commit, so that a journal
/// whose -wal was removed or cut is noticed. It is noted after the commit and not synced: a journal that loses commits
/// in a power cut because the disk did not keep what it had confirmed may go unnoticed, and any loss does if the .lock
/// file was removed too. A journal that is restored together with its .lock file counts as it was then.
std::unique_ptr<run_journal> make_sqlite_journal(std::string path);

/// A journal as read_journal finds it.
class journal_reading {
public:
    run_identity identity;
    prior_run run;
    bool in_use = false;  ///< A process holds the journal now: what was read may be out of date.

    journal_reading() = default;
};

/// Reads a journal, also while a process writes it, without taking a lock and without changing it. The result is the
/// whole state of one commit, except that done batches and failed rows are only counted. journal_damaged and
/// folder_mismatch as for open(); io if there is no journal, it cannot be read, or it changes faster than it can be
/// read. Blocks for as long as reading the file takes.
result<journal_reading> read_journal(const std::string& path);

}  // namespace vembed
