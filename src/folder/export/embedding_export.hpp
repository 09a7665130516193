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

/// The header of an .fbin file. invalid_argument if a number does not fit into its 32 bits.
result<std::string> fbin_header(std::uint64_t rows, std::uint64_t dimensions);

/// The header of a safetensors file. Its size is a multiple of 8 bytes and at least `size_min`.
std::string safetensors_header(std::uint64_t rows, std::uint64_t dimensions, std::size_t size_min = 0);

/// Streams the rows of `from`, which must be complete(), into options.file. The file appears when it is whole. Memory
/// grows by one bit per row. The ids are those of `folder`. cancelled if options.stop was requested; io and
/// verification_failed as for embedding_file.
result<export_report> export_embeddings(const std::string& folder, embedding_file from, const export_options& options);

}  // namespace vembed::folder
