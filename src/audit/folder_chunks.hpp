#pragma once
/// The chunks of a job as they are in the output folder.

#include <cstdint>
#include <span>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/output_check.hpp>
#include <vembed/verify/sha256.hpp>

#include "audit/folder_rows.hpp"
#include "folder/read/receipts_file.hpp"

namespace vembed::audit {

/// What the folder has of one chunk.
class chunk_reading {
public:
    digest bytes{};                      ///< The SHA-256 of its rows' bytes.
    std::uint64_t rows_there = 0;        ///< The number of its rows that are in the file.
    std::uint64_t rows = 0;              ///< The number of its rows that should be in the file.
    std::vector<std::uint64_t> changed;  ///< Rows whose hash differs from the one in rows.sha256.

    chunk_reading() = default;
};

/// Reads the chunks, which tile the job's rows, two at a time, because two hashes are computed side by side. If `check`
/// is set, the rows are checked on the way, and missing rows are reported.
result<std::vector<chunk_reading>> read_chunks(folder_rows& rows, const folder::proven_job& job,
                                               std::span<const expected_chunk> chunks, bool check);

}  // namespace vembed::audit
