#pragma once
/// What an output folder has of a job, as evidence for verify_receipt_offline: but for the output, which whoever checks
/// reads as he needs it.

#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/verify/offline_check.hpp>

#include "cli/digest_records.hpp"
#include "cli/manifest.hpp"
#include "cli/receipts_file.hpp"

namespace vembed::cli {

/// What the folder says of its run.
class run_facts_recorded {
public:
    std::string model;
    std::string spec_hash;         ///< Of the run's receipts; empty: not recorded.
    std::uint64_t dimensions = 0;  ///< 0: not recorded.

    run_facts_recorded() = default;
    explicit run_facts_recorded(const manifest& of)
        : model(of.model), spec_hash(of.spec_hash), dimensions(of.dimensions) {}
};

/// The job with its results and, where there is a texts.sha256, the hashes of those of its texts that the file has.
/// Without the output. Fails as digest_records::read().
result<offline_evidence> evidence_of(const proven_job& job, const run_facts_recorded& facts, digest_records* texts);

}  // namespace vembed::cli
