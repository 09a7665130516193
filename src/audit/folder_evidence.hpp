#pragma once
/// The job evidence for verify_receipt_offline that an output folder has, without the output: the caller reads that as
/// needed.

#include <cstdint>
#include <string>

#include <vembed/core/result.hpp>
#include <vembed/verify/offline_check.hpp>

#include "folder/manifest.hpp"
#include "folder/read/receipts_file.hpp"
#include "folder/records/digest_records.hpp"

namespace vembed::audit {

/// What the folder says about its run.
class run_facts_recorded {
public:
    std::string model;
    std::string spec_hash;         ///< The spec hash of the run's receipts; empty if it was not recorded.
    std::uint64_t dimensions = 0;  ///< 0 if it was not recorded.

    run_facts_recorded() = default;
    explicit run_facts_recorded(const folder::manifest& of)
        : model(of.model), spec_hash(of.spec_hash), dimensions(of.dimensions) {}
};

/// The job with its results and, if there is a texts.sha256, the hashes of those of its texts that the file has. The
/// output is not included. It has the errors of digest_records::read().
result<offline_evidence> evidence_of(const folder::proven_job& job, const run_facts_recorded& facts,
                                     folder::digest_records* texts);

}  // namespace vembed::audit
