#pragma once
/// @file
/// What the local service can be told to get wrong in a job's proof: its output, its results, its receipt.
///
/// A spoiled job is spoiled in the same way and place each time it is asked for, unlike the faults of single requests
/// (fault_rates): asking again does not help.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <vembed/core/result.hpp>

namespace vembed::testing {

/// "Another job" is one that the service made up: as many rows of the same model, other texts, ids of its own.
enum class proof_fault : std::uint8_t {
    // The output, beside right results and a right receipt.
    output_bit,      ///< One bit is another.
    output_swapped,  ///< The bytes of the first two chunks are exchanged; of a single chunk, its first row and the
                     ///< rest.
    output_short,    ///< The last row is missing; shape and length agree on that.
    // The output, with commitments and receipt that are true of it.
    output_nan,   ///< One row is NaN.
    output_zero,  ///< One row is zeros.
    // GET /jobs/:id/results, beside a right output and a right receipt.
    commitment_bit,      ///< One bit of a chunk's output_commitment is another.
    results_of_another,  ///< They are another job's, ids and commitments.
    range_gap,           ///< A chunk begins a row late.
    range_overlap,       ///< A chunk ends a row late: in the next one, or beyond the last row.
    chunk_missing,       ///< A chunk is not listed.
    // GET /receipts/:id. "_bit": receipt_hash is not taken anew. "_forged": it is taken over what the receipt says.
    receipt_hash_bit,
    inputs_root_bit,
    outputs_root_bit,
    inputs_root_forged,
    outputs_root_forged,
    receipt_of_another,  ///< The text is another job's receipt.
    receipt_job_forged,  ///< Its job_id is another job's.
    receipt_id_forged,   ///< Its receipt_id is another receipt's.
};

/// All of them, in the order of their values.
inline constexpr std::array<proof_fault, 18> proof_faults = {
    proof_fault::output_bit,         proof_fault::output_swapped,     proof_fault::output_short,
    proof_fault::output_nan,         proof_fault::output_zero,        proof_fault::commitment_bit,
    proof_fault::results_of_another, proof_fault::range_gap,          proof_fault::range_overlap,
    proof_fault::chunk_missing,      proof_fault::receipt_hash_bit,   proof_fault::inputs_root_bit,
    proof_fault::outputs_root_bit,   proof_fault::inputs_root_forged, proof_fault::outputs_root_forged,
    proof_fault::receipt_of_another, proof_fault::receipt_job_forged, proof_fault::receipt_id_forged};

/// The fault's name, the same as in proof_fault. Stable.
std::string_view to_string(proof_fault fault) noexcept;

/// The fault of that name; nothing if there is none.
std::optional<proof_fault> proof_fault_named(std::string_view name) noexcept;

/// Certain jobs that are spoiled. Jobs are counted as the service accepts them, POST /verify included, from 1.
class spoiled_jobs {
public:
    proof_fault fault = proof_fault::output_bit;
    std::uint64_t first = 1;
    std::uint64_t last = std::numeric_limits<std::uint64_t>::max();

    spoiled_jobs() = default;
    spoiled_jobs(proof_fault what, std::uint64_t first_job, std::uint64_t last_job)
        : fault(what), first(first_job), last(last_job) {}

    /// Reads "output_bit@3" (job 3 only), "output_bit@3-5" or "output_bit@3-" (from job 3 on). invalid_argument, with
    /// the known names, for anything else.
    static result<spoiled_jobs> parse(std::string_view text);
};

}  // namespace vembed::testing
