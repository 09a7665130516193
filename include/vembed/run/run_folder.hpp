#pragma once
/// @file
/// A whole corpus into an output folder, in one call that may be interrupted and made again.

#include <cstdint>
#include <string>
#include <vector>

#include <vembed/bulk/options.hpp>
#include <vembed/client/blocking_client.hpp>
#include <vembed/client/client.hpp>
#include <vembed/core/result.hpp>
#include <vembed/corpus/reading.hpp>
#include <vembed/corpus/source.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed {

class run_folder_options {
public:
    std::vector<std::string> inputs;  ///< The corpus's files, in their order; at least one.
    file_source_options format;       ///< How they are read.
    std::string folder;               ///< The output folder; it is made if it does not exist.
    std::string cache_folder;         ///< Rows that other runs bought (see row_cache); empty: none.
    /// Model, limits, verification, progress and stop. `journal`, `cache` and `identity` are the folder's: leave them.
    bulk_options bulk;
    reading_callbacks reading;  ///< Told while the corpus is read, before anything is sent.
    /// The program's arguments with which a person continues the run: folder_status() gives them back, and so does
    /// `vembed status`. Empty: there are none.
    std::vector<std::string> command;
    std::string command_folder;  ///< The folder that relative paths in `command` refer to; empty: there are none.

    run_folder_options() = default;
};

class run_folder_report {
public:
    bulk_report bulk;
    std::uint64_t cache_rows_damaged = 0;  ///< Rows of the cache that were not as they had been written; bought again.

    run_folder_report() = default;
};

/// Embeds a corpus into a folder: reads the whole corpus once, so that damage in its last file is known before anything
/// is bought; then buys what the folder lacks, verifies it, and writes the files that npy_sink describes, the journal,
/// run.json and manifest.json. `vembed embed` is this function, so a folder made by one of the two is the other's.
///
/// The call may end at any moment, also by kill -9: the same call again takes up the jobs that were under way and buys
/// nothing twice. A finished folder is left as it is, and nothing is sent for it but requests about the account.
///
///     vembed::run_folder_options options;
///     options.inputs = {"corpus.jsonl"};
///     options.folder = "out";
///     options.bulk.model = "bge-large-v1.5";
///     const auto done = co_await vembed::run_folder(client, options);
///     if (!done) { std::cerr << done.error() << '\n'; }
///
/// The report's bulk.reason says whether the run is complete; if it is not, call again (see bulk_report).
///
/// \par Errors
/// Those of client::embed_corpus and open_files, and: invalid_argument if an option does not fit, if the cache is or
/// lies in an output folder, or if the output folder is a cache; bad_input if the corpus has no rows; folder_mismatch
/// if the folder belongs to another corpus, model or service, has a result without its journal, or is in use.
///
/// \par Cancellation
/// options.bulk.stop ends the reading with `cancelled` before the next row; later it ends the run in good order, with a
/// report. call.stop and the operation's cancellation end the call with `cancelled`: the reading before the next row
/// or, by the operation's cancellation, at its end.
///
/// \par Lifetimes
/// The options are copied; the end of the client cancels the call. The callbacks of `reading` are called on the
/// environment's reading thread, bulk.on_progress on the client's executor.
///
/// \par Thread safety
/// Calls for different folders may run at the same time, also with one client. A folder is used by one run at a time,
/// over all processes: the second is folder_mismatch.
operation<run_folder_report> run_folder(client& with, run_folder_options options, call_options call = {});

/// The same, blocking.
result<run_folder_report> run_folder(blocking_client& with, run_folder_options options, call_options call = {});

}  // namespace vembed
