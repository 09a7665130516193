#pragma once
/// The chunks of a job as the output folder has them.

#include <cstdint>
#include <span>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/output_check.hpp>
#include <vembed/verify/sha256.hpp>

#include "audit/folder_rows.hpp"
#include "folder/read/receipts_file.hpp"

namespace vembed::audit {

/// What the folder has of a chunk.
class chunk_reading {
public:
    digest bytes{};                      ///< The SHA-256 of its rows' bytes.
    std::uint64_t rows_there = 0;        ///< How many of its rows the file has.
    std::uint64_t rows = 0;              ///< How many it should have.
    std::vector<std::uint64_t> changed;  ///< Rows that do not have the hash in rows.sha256.

    chunk_reading() = default;
};

/// Reads the chunks, which tile the job's rows, two at a time: their hashes are computed side by side. Where `check`,
/// the rows are checked on the way, and those that are missing reported.
result<std::vector<chunk_reading>> read_chunks(folder_rows& rows, const folder::proven_job& job,
                                               std::span<const expected_chunk> chunks, bool check);

}  // namespace vembed::audit
