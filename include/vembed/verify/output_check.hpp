#pragma once
/// @file
/// Pure checks of a job's output against what /jobs/:id/results promised: the chunks tile the rows, each chunk's bytes
/// have the committed SHA-256, each row is an embedding at all.
///
/// A commitment that matches shows that the bytes are the committed ones. Only chunks with `sampled` were re-executed
/// by the service; for the others nothing here shows how they were computed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/sha256.hpp>
#include <vembed/verify/sha256_pair.hpp>

namespace vembed {

/// A chunk as the results list it: rows [row_start, row_end) of the job.
class expected_chunk {
public:
    std::uint64_t index = 0;
    std::uint64_t row_start = 0;
    std::uint64_t row_end = 0;
    std::optional<std::string> commitment;  ///< SHA-256 of the chunk's bytes in hex; empty if none was given.
    bool sampled = false;                   ///< The service re-executed this chunk.

    expected_chunk() = default;
    expected_chunk(std::uint64_t chunk_index, std::uint64_t first_row, std::uint64_t end_row,
                   std::optional<std::string> chunk_commitment = std::nullopt, bool was_sampled = false);
};

/// Whether the chunks, in the order given, tile rows [0, rows): none empty, no gap, no overlap, nothing beyond.
/// verification_failed names the first chunk that breaks this. No chunks tile no rows.
result<void> check_tiling(std::span<const expected_chunk> chunks, std::uint64_t rows);

/// The hashes of an output's bytes.
class output_digests {
public:
    std::optional<digest> whole;  ///< Over all bytes; only if it was asked for.
    std::vector<digest> chunks;   ///< One for each expected chunk, in their order.

    output_digests() = default;
};

/// Hashes an output in one pass while it arrives, chunk by chunk.
///
/// One thread at a time. Memory: one digest a chunk, whatever the size of the output.
class output_hasher {
public:
    /// `chunks` must tile the output (check_tiling); if they do not, finish() says so. `bytes_per_row` is 4 ×
    /// dimensions. `hash_whole` also gives the hash over all bytes; with more than one chunk that hashes every byte
    /// twice, side by side (sha256_pair).
    output_hasher(std::vector<expected_chunk> chunks, std::uint64_t bytes_per_row, bool hash_whole = false);

    /// The next bytes of the output, in pieces of any size. Bytes beyond the expected end are counted, not hashed.
    void update(std::span<const std::byte> bytes);

    /// Returns the hashes if the length is right and every commitment matches; a chunk without a commitment is hashed
    /// and not compared.
    ///
    /// verification_failed, naming the first chunk concerned: chunks that do not tile the output, a commitment that is
    /// not 64 hex digits, a chunk whose hash differs; or a length that is not what the chunks add up to. Call it once.
    result<output_digests> finish();

private:
    [[nodiscard]] result<void> check_commitments() const;

    std::vector<expected_chunk> expected_;
    std::uint64_t bytes_per_row_;
    std::optional<error> bad_tiling_;
    bool hash_whole_;
    std::uint64_t bytes_expected_ = 0;
    std::uint64_t bytes_seen_ = 0;
    sha256 chunk_hash_;
    std::optional<sha256_pair> chunk_and_whole_;  // Replaces chunk_hash_ if the whole has a hash of its own.
    std::vector<digest> digests_;
};

/// Whether `values` holds rows × dims numbers, every one finite and no row all zero (a service that fills with zeros
/// hashes just as well). verification_failed names the first bad row and, for a number that is not finite, its column.
/// Rows without columns are refused; no rows at all are fine.
result<void> check_rows(std::span<const float> values, std::uint64_t rows, std::uint64_t dims);

}  // namespace vembed
