#pragma once
/// @file
/// A finished output folder's embeddings in the formats of other programs.

#include <cstdint>
#include <stop_token>
#include <string>

#include <vembed/core/result.hpp>

namespace vembed {

enum class export_format : std::uint8_t {
    fbin,         ///< Rows and dimensions as uint32, then the rows as float32; little-endian.
    safetensors,  ///< One tensor "embeddings", F32.
};

class export_options {
public:
    export_format format = export_format::fbin;
    std::string file;
    std::stop_token stop;      ///< If a stop is requested, nothing is written.
    bool skip_failed = false;  ///< Leaves failed rows out and writes file.ids.jsonl with the ids of the others.

    export_options() = default;
};

class export_report {
public:
    std::uint64_t rows = 0;         ///< The rows written.
    std::uint64_t rows_failed = 0;  ///< NaN rows: left out if skip_failed is set, else among `rows`.
    std::uint64_t rows_blank = 0;   ///< NaN rows of blank lines that keep their row number; not in rows_failed.
    std::uint64_t dimensions = 0;
    std::uint64_t bytes = 0;
    std::string ids_file;  ///< Empty if the rows are those of ids.jsonl.

    export_report() = default;
};

/// Copies the embeddings of a finished run into one file, which appears when it is whole. Memory grows by one bit per
/// row. Blocks.
///
///     vembed::export_options options;
///     options.file = "out.fbin";
///     auto done = vembed::export_folder("out", options);
///
/// \par Errors
/// run_unfinished if the run of the folder is not complete; verification_failed if embeddings.npy is no such file;
/// invalid_argument if the format cannot hold that many rows, or if skip_failed is asked for and options.file is no
/// regular file; io; cancelled if options.stop was requested.
result<export_report> export_folder(const std::string& folder, const export_options& options);

}  // namespace vembed
