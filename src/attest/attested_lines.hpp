#pragma once
/// What the output file of `vembed attest` says is attested, held against the receipts in it: whoever can write the
/// file can write that word, and what counts as attested is never asked for again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/core/result.hpp>
#include <vembed/verify/claim_check.hpp>
#include <vembed/verify/pins.hpp>

#include "attest/attest_record.hpp"

namespace vembed::attest {

/// Why a line that says its claim is attested is not to be believed; empty where it is. Pure.
///
/// `claim` is what the line claims, `report` what verify_claim_offline says of the line's receipt and that claim. The
/// receipt has to be the one that the line names, no check of it may fail, and what the line says was verified when it
/// was written has to be so still. What was not checkable then may be so now: nothing more is asked than was.
std::string objection_to_attested(std::string_view line, const claim_evidence& claim, const offline_report& report);

class attested_lines {
public:
    /// `file` must outlive this. `pins`: what is known of the account. `spec_chunk_size`: how many rows the
    /// specification takes as a chunk; nothing where it does not say.
    attested_lines(const attest_record_file& file, account_pins pins, std::optional<std::uint64_t> spec_chunk_size);

    /// Reads the line again that says `record` is attested. verification_failed, with file, line and what can be done,
    /// where it is not to be believed; io. `texts`: the claim's, or null where those at hand are others than it was
    /// about. Keeps of the receipt only what it shows of the account's schemes and of the size of a chunk.
    result<void> hold(const claim_record& record, const std::vector<std::string>* texts);

private:
    const attest_record_file* file_;
    account_pins pins_;
    std::optional<std::uint64_t> spec_chunk_size_;
    std::uint64_t chunk_size_ = 1;  // At least.
};

}  // namespace vembed::attest
