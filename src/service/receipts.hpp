#pragma once
/// Receipts: how they are made and how the service checks its own. Roots are RFC 6962 trees, receipt_hash is over
/// RFC 8785 canonical JSON.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "service/job_store.hpp"

namespace vembed::service {

/// Which chunks of a job the service re-executes: about one in ten, drawn from the seed, and one at least.
std::vector<bool> sample_of(std::uint64_t seed, const job_record& job);

/// The receipt's JSON.
result<std::string> make_receipt(std::uint64_t seed, const job_record& job, std::span<const digest> commitments);

/// What each of the four checks found.
class receipt_findings {
public:
    bool receipt_hash = false;
    bool inputs_root = false;
    bool outputs_root = false;
    bool verification_attestation = false;

    receipt_findings() = default;
};

/// Recomputes everything `receipt` claims from the job's stored texts and commitments.
receipt_findings check_receipt(std::uint64_t seed, const job_record& job, std::span<const digest> commitments,
                               const std::string& receipt);

/// The findings as GET /receipts/:id/verify gives them.
std::string findings_json(const receipt_findings& findings);

}  // namespace vembed::service
