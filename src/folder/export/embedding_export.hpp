#pragma once
/// Copies a finished embeddings.npy into the formats of other programs.

#include <cstdint>
#include <stop_token>
#include <string>

#include <vembed/core/result.hpp>

#include "folder/records/embedding_file.hpp"

namespace vembed::folder {

enum class export_format : std::uint8_t {
    fbin,         ///< Rows and dimensions as uint32, then the rows as float32; little-endian.
    safetensors,  ///< One tensor "embeddings", F32.
};

class export_options {
public:
    export_format format = export_format::fbin;
    std::string file;
    std::stop_token stop;      ///< Asked to stop, nothing is written.
    bool skip_failed = false;  ///< Leave rows that failed out, and write file.ids.jsonl with the ids of the others.

    export_options() = default;
};

class export_report {
public:
    std::uint64_t rows = 0;         ///< Written.
    std::uint64_t rows_failed = 0;  ///< NaN rows: left out where that was asked for, else among the written ones.
    std::uint64_t rows_blank = 0;   ///< The same of blank lines that keep their place; not among the failed ones.
    std::uint64_t dimensions = 0;
    std::uint64_t bytes = 0;
    std::string ids_file;  ///< Empty: the rows are those of ids.jsonl.

    export_report() = default;
};

/// What stands before the rows of an .fbin file. invalid_argument where a number does not fit into its 32 bits.
result<std::string> fbin_header(std::uint64_t rows, std::uint64_t dimensions);

/// What stands before the rows of a safetensors file: a multiple of 8 bytes, at least `size_min`.
std::string safetensors_header(std::uint64_t rows, std::uint64_t dimensions, std::size_t size_min = 0);

/// Streams the rows of `from`, which is complete(), into options.file, which appears when it is whole; memory does not
/// grow with the rows but by a bit for each. The ids are those of `folder`. cancelled if options.stop was asked for; io
/// and verification_failed as embedding_file has them.
result<export_report> export_embeddings(const std::string& folder, embedding_file from, const export_options& options);

}  // namespace vembed::folder
