#pragma once
/// The rows of jobs and their chunks' commitments: made when first needed, cached, and made again after they are
/// dropped.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <vembed/verify/schemes.hpp>

#include "service/jobs/job_store.hpp"
#include "service/jobs/text_embedding.hpp"

namespace vembed::service {

class output_maker {
public:
    /// `store` must outlive this. Caches the newest outputs, at most `cache_bytes_max` bytes.
    output_maker(job_store& store, std::uint64_t cache_bytes_max, std::uint64_t seed, commitment_encoding encoding)
        : store_(store), cache_bytes_max_(cache_bytes_max), seed_(seed), encoding_(encoding) {}

    /// The job's rows, float32 in the machine's (little-endian) order.
    const shared_rows& rows_of(job_record& job);

    /// Each chunk's commitment under the encoding.
    const std::vector<digest>& commitments_of(job_record& job);

    /// The SHA-256 of the whole output.
    digest whole_commitment(job_record& job);

private:
    text_embedder& embedder_of(std::uint32_t dimensions, std::uint32_t words_max);
    void keep(job_record& job, std::shared_ptr<const std::vector<float>> values);
    const std::shared_ptr<const std::vector<float>>& bench_rows(std::uint32_t dimensions);
    digest bench_commitment(std::uint32_t dimensions, std::uint64_t begin, std::uint64_t end,
                            std::span<const std::byte> bytes);
    digest hash_of(const job_record& job, std::uint64_t begin, std::uint64_t end);

    job_store& store_;
    std::uint64_t cache_bytes_max_;
    std::uint64_t cache_bytes_ = 0;
    std::uint64_t seed_;
    commitment_encoding encoding_;
    std::deque<std::pair<std::string, std::uint64_t>> cached_;  // Job id and bytes, the oldest first.
    std::map<std::uint32_t, text_embedder> embedders_;          // Keyed by dimensions.
    std::map<std::uint32_t, std::shared_ptr<const std::vector<float>>> bench_rows_;  // Keyed by dimensions.
    // Keyed by dimensions and byte range.
    std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>, digest> bench_commitments_;
};

}  // namespace vembed::service
