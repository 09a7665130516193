#pragma once
/// @file
/// How far the run of an output folder is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/bulk/options.hpp>
#include <vembed/core/result.hpp>
#include <vembed/journal/journal.hpp>

namespace vembed {

enum class folder_state : std::uint8_t {
    unfinished,  ///< The same call or command again goes on with the run.
    running,     ///< A process is working on it now.
    complete,
};

std::string_view to_string(folder_state state) noexcept;

/// What a folder's journal, run.json and manifest.json say.
class folder_status {
public:
    folder_state state = folder_state::unfinished;
    std::string service;
    std::string model;                        ///< Empty for a run by a specification.
    std::optional<std::uint64_t> rows_total;  ///< Empty if run.json does not exist: the run was not run_folder()'s.
    std::uint64_t rows_done = 0;  ///< Rows that were bought; in a complete folder their copies are counted too.
    std::uint64_t rows_failed = 0;
    std::uint64_t rows_blank = 0;  ///< Not in rows_failed.
    std::uint64_t rows_left = 0;   ///< Copies of other rows are among them, which cost nothing.
    std::uint64_t batches_done = 0;
    std::vector<journalled_batch> in_flight;   ///< Accepted jobs; the next process takes them up.
    std::vector<journalled_batch> unanswered;  ///< Submissions that will get no response any more.
    std::uint64_t chunks_charged = 0;
    std::uint64_t chunks_unanswered = 0;      ///< That may have been charged for `unanswered`.
    std::uint64_t extra_chunks = 0;           ///< Spent on sending batches in doubt again.
    std::optional<std::uint64_t> max_chunks;  ///< The limit of the run, if it has one.
    /// The max_chunks with which every row that is left could be bought, if the present one allows no more chunk and
    /// there are rows to buy. Copies cost nothing, so less may do.
    std::optional<std::uint64_t> max_chunks_needed;
    std::uint64_t rows_per_chunk = 0;   ///< 0: no job has shown it.
    bool rows_per_chunk_known = false;  ///< If false, a chunk has at least that many.
    std::uint64_t dimensions = 0;       ///< 0: no job has shown them.
    std::vector<job_left> jobs_left;    ///< Those of `in_flight` that the last process stopped asking for.
    std::string command;  ///< To paste into a shell, with the --max-chunks it needs; empty if it is not known.

    folder_status() = default;
};

/// Reads the status of the run of `folder`, also while a process works on it. Blocks; changes nothing.
///
///     auto status = vembed::read_folder_status("out");
///     if (status) { std::cout << status->rows_left << " rows to go\n"; }
///
/// \par Errors
/// io if there is no journal or a file cannot be read; journal_damaged; verification_failed if manifest.json is there
/// and is no manifest.
result<folder_status> read_folder_status(const std::string& folder);

}  // namespace vembed
