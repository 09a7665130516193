#pragma once
/// What a bulk run remembers across processes, so that the same call goes on where an earlier one ended and nothing
/// that was paid for is paid for again.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vembed/core/result.hpp>

namespace vembed {

/// Half-open ranges of corpus rows, ascending and not touching.
using row_ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// What makes two runs the same run. Every field is compared; a difference is named to the user.
class run_identity {
public:
    std::string service;      ///< The base URL.
    std::string model;        ///< Or empty with spec_sha256.
    std::string spec_sha256;  ///< Of the older form's specification.
    std::string corpus;  ///< SHA-256 over the corpus' content and format options, in hex, as the caller computes it.

    run_identity() = default;
    friend bool operator==(const run_identity&, const run_identity&) = default;
};

enum class batch_state : std::uint8_t {
    intent,    ///< About to be sent, or sent: in a journal that is opened again its outcome is unknown.
    accepted,  ///< Has a job id; its rows are not on disk yet.
    done,      ///< Its rows are durable in the sink.
    unknown,   ///< Sent and never answered.
};

std::string_view to_string(batch_state state) noexcept;

class journalled_batch {
public:
    std::uint64_t batch = 0;
    batch_state state = batch_state::intent;
    row_ranges rows;
    std::string job_id;
    std::uint64_t chunks = 0;  ///< As charged where accepted, as estimated before.

    journalled_batch() = default;
};

/// What an earlier process left.
class prior_run {
public:
    std::vector<journalled_batch> batches;   ///< By batch number. An `intent` was in flight when its process ended.
    std::vector<std::uint64_t> failed_rows;  ///< Ascending.

    prior_run() = default;
};

/// Called on the environment's worker thread, one call at a time. Every call returns only when what it says is durable.
///
/// A batch goes intent → accepted → done; intent → unknown → accepted where a lost reply is found after all; and from
/// any of these but done it can be forgotten. A call that does not fit the batch's state is invalid_argument and
/// changes nothing. Numbers are at most 2^63 - 1. io where the file cannot be written: what the call was to record is
/// then not recorded.
class run_journal {
public:
    run_journal() = default;
    run_journal(const run_journal&) = delete;
    run_journal& operator=(const run_journal&) = delete;
    virtual ~run_journal() = default;

    /// Begins or continues a run; once, before anything else. folder_mismatch where the journal belongs to another run
    /// (the message names what differs) or is in use by another process; journal_damaged where it cannot be trusted.
    /// In both cases the file is left as it is.
    virtual result<prior_run> open(const run_identity& identity) = 0;

    /// `batch` is a number not in the journal; `rows` is not empty.
    virtual result<void> intend(std::uint64_t batch, const row_ranges& rows, std::uint64_t chunks_estimated) = 0;
    virtual result<void> accept(std::uint64_t batch, const std::string& job_id, std::uint64_t chunks) = 0;
    virtual result<void> complete(std::uint64_t batch) = 0;

    /// The batch was certainly not accepted, or its job came to nothing: forget it, its rows are to be batched anew.
    virtual result<void> forget(std::uint64_t batch) = 0;

    virtual result<void> mark_unknown(std::uint64_t batch) = 0;

    /// Says so once or more often: a row fails once.
    virtual result<void> fail_row(std::uint64_t row) = 0;
};

/// A journal in an SQLite file (WAL, synchronous=FULL), created with its folder where it does not exist. `path`.lock
/// beside it is locked while the journal is open, and stays. Do not remove `path`-wal: it is part of the journal.
std::unique_ptr<run_journal> make_sqlite_journal(std::string path);

}  // namespace vembed
