#pragma once
/// run.json: what a folder's run was asked for, written before anything is submitted, for `vembed status`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/core/time.hpp>

namespace vembed::folder {

class run_file {
public:
    std::uint64_t rows = 0;            ///< Of the corpus.
    std::uint64_t rows_defective = 0;  ///< Of those, found before anything was submitted.
    wall_time started_at{};            ///< Of the last process.
    std::vector<std::string> command;  ///< Its arguments, with which to go on: standard input as its spool.
    std::string folder_to_run_in;      ///< Where they hold; empty: anywhere. Only written.
    std::string command_line;          ///< All of that, to be pasted into a shell. Only read; empty: as below.

    run_file() = default;
};

/// Durably writes `folder`/run.json in place of the one before. io.
result<void> write_run_file(const std::string& folder, const run_file& run);

/// Nothing where there is none, or one that cannot be understood: what it says is a convenience.
std::optional<run_file> read_run_file(const std::string& folder);

/// With which a run goes on, to be pasted into a shell; empty where that is not known. `max_chunks`: with that in place
/// of the --max-chunks that it has.
std::string command_of(const run_file& run, std::optional<std::uint64_t> max_chunks = {});

/// The --max-chunks of the command; nothing where it has none. Pure.
std::optional<std::uint64_t> max_chunks_of(const run_file& run);

}  // namespace vembed::folder
