#include "cyberian/wire/listed_chunks.hpp"

namespace vembed::cyberian {

std::vector<expected_chunk> listed_chunks(const job_results& results) {
    std::vector<expected_chunk> chunks;
    chunks.reserve(results.chunks.size());
    for (const chunk_result& chunk : results.chunks) {
        chunks.emplace_back(chunk.chunk_index, chunk.row_start, chunk.row_end, chunk.output_commitment,
                            chunk.selected_for_verification);
    }
    return chunks;
}

}  // namespace vembed::cyberian
