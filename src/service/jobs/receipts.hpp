#pragma once
/// Receipts: how they are made and, if that is asked for, spoiled, and how the service checks its own.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vembed/testing/proof_faults.hpp>
#include <vembed/verify/schemes.hpp>

#include "service/jobs/job_store.hpp"

namespace vembed::service {

/// Which chunks of a job the service re-executes: about one in ten, drawn from the seed, and at least one.
std::vector<bool> sample_of(std::uint64_t seed, const job_record& job);

/// The values that all receipts of the service share.
class issuer {
public:
    std::uint64_t seed = 0;
    receipt_scheme scheme;

    issuer() = default;
};

/// The fields of a receipt besides its hash.
class receipt_claims {
public:
    std::string receipt_id;
    std::string job_id;
    std::string spec_hash;
    std::string inputs_root;
    std::string outputs_root;
    std::string verification_attestation;
    std::string executor_attestation_id;
    std::string issued_at;

    receipt_claims() = default;
};

/// The claims that the receipt of a job with these commitments must have.
receipt_claims claims_of(const issuer& by, const job_record& job, std::span<const digest> commitments);

/// The receipt's JSON with `hash` as its receipt_hash.
std::string receipt_text(const receipt_claims& claims, std::string_view hash);

/// The receipt_hash that the issuer's scheme gives.
result<std::string> hash_of_claims(const issuer& by, const receipt_claims& claims);

/// The receipt's JSON, with its receipt_hash.
result<std::string> make_receipt(const issuer& by, const job_record& job, std::span<const digest> commitments);

/// The receipt's JSON with the error that the fault names; the unspoiled JSON if the fault is in something else. The
/// receipt of another job is made with make_receipt instead.
result<std::string> make_spoiled_receipt(const issuer& by, testing::proof_fault fault, const job_record& job,
                                         std::span<const digest> commitments);

/// The result of each of the four checks.
class receipt_findings {
public:
    bool receipt_hash = false;
    bool inputs_root = false;
    bool outputs_root = false;
    bool verification_attestation = false;

    receipt_findings() = default;
};

/// Recomputes everything `receipt` claims from the job's stored texts and commitments.
receipt_findings check_receipt(const issuer& by, const job_record& job, std::span<const digest> commitments,
                               const std::string& receipt);

/// The findings in the form of GET /receipts/:id/verify; `older_names`: with the names of the older documents.
std::string findings_json(const receipt_findings& findings, bool older_names);

}  // namespace vembed::service
