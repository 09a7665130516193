#pragma once
/// @file
/// Checks the receipt of a verification of the caller's own outputs (POST /verify), without asking anybody.
///
/// The response is the receipt alone: no job was named before it, and no chunks are listed. So what can be checked is
/// the receipt's form and hash, the root over the inputs, and, as far as the claim was one chunk, the root over the
/// claimed commitment. That the service recomputed the outputs is its word: it is why the receipt was issued.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/verify/offline_check.hpp>
#include <vembed/verify/pins.hpp>
#include <vembed/verify/schemes.hpp>

namespace vembed {

/// What was claimed.
class claim_evidence {
public:
    std::string model;       ///< For the report's words only: no receipt names it.
    std::uint64_t rows = 0;  ///< How many inputs were submitted.
    std::string commitment;  ///< The claimed commitment: SHA-256 of the output's bytes, 64 hex digits.
    bool one_chunk = false;  ///< The rows are known to be one chunk; else that is tried, and no match shows nothing.
    std::optional<std::string> spec_hash;              ///< The spec_hash of earlier receipts for this model.
    std::optional<std::vector<input_digests>> inputs;  ///< The inputs in the order submitted.

    claim_evidence() = default;
};

/// Checks `receipt_text`, the response to POST /verify as received, as verify_receipt_offline does: with the same
/// checks in the same order. Checks that need a job or a list of chunks are not checkable. outputs_root and
/// verification_attestation are verified if they are the roots over the one claimed commitment, under any encoding the
/// account's pins leave open; outputs_root is failed only if the rows are known to be one chunk and encoding and tree
/// are pinned. A root that matches pins both.
///
/// It never fails and throws std::bad_alloc only.
offline_report verify_claim_offline(std::string_view receipt_text, const claim_evidence& claim,
                                    const account_pins& pins = {});

}  // namespace vembed
