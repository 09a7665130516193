#pragma once
/// How a spoiled job's output and results differ from the right ones. Pure: positions are drawn from the seed and the
/// job's number.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vembed/testing/proof_faults.hpp>

#include "service/jobs/job_store.hpp"

namespace vembed::service {

/// A chunk in the form of GET /jobs/:id/results.
class listed_chunk {
public:
    std::uint64_t index = 0;
    std::uint64_t row_start = 0;
    std::uint64_t row_end = 0;
    std::string_view status;
    std::optional<digest> commitment;
    bool sampled = false;

    listed_chunk() = default;
};

/// Whether the fault is in the rows that the service makes, so that commitments and receipt match the faulty rows.
bool is_in_rows(testing::proof_fault fault) noexcept;

/// Makes one row NaN or zeros, as the fault says. `values` holds the job's rows.
void spoil_rows(testing::proof_fault fault, std::uint64_t seed, const job_record& job, std::span<float> values);

/// The output to hand out instead of `bytes`, and its number of rows; nothing if the fault is not in the output.
class spoiled_output {
public:
    std::vector<std::byte> bytes;
    std::uint64_t rows = 0;

    spoiled_output() = default;
};
std::optional<spoiled_output> spoil_output(testing::proof_fault fault, std::uint64_t seed, const job_record& job,
                                           std::span<const std::byte> bytes);

/// Spoils one of the listed chunks if the fault is in a chunk.
void spoil_chunks(testing::proof_fault fault, std::uint64_t seed, const job_record& job,
                  std::vector<listed_chunk>& chunks);

/// Flips the bit number `draw` of a SHA-256 in hex.
void flip_bit(std::string& hex, std::uint64_t draw);

/// Another job than `job`, for faults that confuse two jobs: it has as many rows of the same model, other texts and its
/// own ids.
std::unique_ptr<job_record> another_job(std::uint64_t seed, const job_record& job);

}  // namespace vembed::service
