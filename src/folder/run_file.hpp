#pragma once
/// run.json has the request of a folder's run, for `vembed status`. It is written before anything is submitted.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

namespace vembed::folder {

class run_file {
public:
    std::uint64_t rows = 0;                   ///< The rows of the corpus.
    std::uint64_t rows_defective = 0;         ///< The defective rows that were found before anything was submitted.
    std::optional<std::uint64_t> max_chunks;  ///< The most chunks that the run may use.
    wall_time started_at{};                   ///< The start of the last process.
    std::vector<std::string> command;  ///< The arguments that continue the run, with the spool for standard input.
    std::string folder_to_run_in;      ///< The folder that the arguments refer to; empty: any. Only written.
    std::string command_line;          ///< The command as a line for a shell. Only read; empty if the file has none.

    run_file() = default;
};

/// Durably replaces `folder`/run.json. Errors are io.
result<void> write_run_file(const std::string& folder, const run_file& run);

/// Returns nothing if there is no such file or it cannot be understood, because it is only a convenience.
std::optional<run_file> read_run_file(const std::string& folder);

/// The shell command that continues a run; empty if it is not known. If `max_chunks` is given, it replaces the value of
/// the command's --max-chunks.
std::string command_of(const run_file& run, std::optional<std::uint64_t> max_chunks = {});

/// The most chunks that the run may use, which files of earlier versions have in the command only. Pure.
std::optional<std::uint64_t> max_chunks_of(const run_file& run);

}  // namespace vembed::folder
