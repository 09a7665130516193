#pragma once
/// Checks the output file of attest_corpus(): lines that say "attested" are held against the receipts in them. Whoever
/// can write the file can write that word, and the service is never asked again about attested rows.

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

/// Why a line that says that its claim is attested cannot be believed; empty if it can. Pure.
///
/// `claim` is what the line claims, `report` what verify_claim_offline says of the line's receipt and that claim. The
/// receipt must be the one that the line names, no check of it may fail, and each check that the line records must be
/// verified still. A check that was not checkable when the line was written need not be checkable now.
std::string objection_to_attested(std::string_view line, const claim_evidence& claim, const offline_report& report);

class attested_lines {
public:
    /// `file` must outlive this. `pins`: what is known of the account. `spec_chunk_size`: how many rows the
    /// specification takes as a chunk; empty if it does not say.
    attested_lines(const attest_record_file& file, account_pins pins, std::optional<std::uint64_t> spec_chunk_size);

    /// Reads the line again that says that `record` is attested. If it cannot be believed, the error is
    /// verification_failed with file, line and what can be done; io is possible too. `texts` are the claim's texts, or
    /// null if those at hand are not the ones that it was about. Keeps of the receipt only what it shows of the
    /// account's schemes and of the chunk size.
    result<void> hold(const recorded_claim& record, const std::vector<std::string>* texts);

private:
    const attest_record_file* file_;
    account_pins pins_;
    std::optional<std::uint64_t> spec_chunk_size_;
    std::uint64_t chunk_size_ = 1;  // A chunk has at least that many rows.
};

}  // namespace vembed::attest
