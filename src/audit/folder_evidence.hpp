#pragma once
/// What an output folder has of a job, as evidence for verify_receipt_offline: but for the output, which whoever checks
/// reads as he needs it.

#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/verify/offline_check.hpp>

#include "folder/manifest.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// What the folder says of its run.
class run_facts_recorded {
public:
    std::string model;
    std::string spec_hash;         ///< Of the run's receipts; empty: not recorded.
    std::uint64_t dimensions = 0;  ///< 0: not recorded.

    run_facts_recorded() = default;
    explicit run_facts_recorded(const folder::manifest& of)
        : model(of.model), spec_hash(of.spec_hash), dimensions(of.dimensions) {}
};

/// The job with its results and, where there is a texts.sha256, the hashes of those of its texts that the file has.
/// Without the output. Fails as digest_records::read().
result<offline_evidence> evidence_of(const folder::proven_job& job, const run_facts_recorded& facts,
                                     folder::digest_records* texts);

}  // namespace vembed::audit
