#include "service/jobs/receipts.hpp"

#include <vembed/verify/merkle.hpp>

#include "service/endpoints/json_text.hpp"
#include "service/faults/draw.hpp"
#include "service/faults/proof_faults.hpp"
#include "service/jobs/models.hpp"

namespace vembed::service {
namespace {

using testing::proof_fault;

constexpr std::uint64_t sampled_one_in = 10;

std::string root_of_inputs(const text_list& texts, const tree_scheme& scheme) {
    if (scheme == tree_scheme()) {  // One hash for each input; input_digests would make two.
        merkle_builder tree;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            tree.add(leaf_hash(std::as_bytes(std::span(texts[i]))));
        }
        return to_hex(tree.root());
    }
    std::vector<input_digests> inputs;
    inputs.reserve(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        inputs.emplace_back(texts[i]);
    }
    return inputs_root(inputs, scheme);
}

// The root over the commitments of the re-executed chunks, in their order.
std::string attestation_of(const issuer& by, const job_record& job, std::span<const digest> commitments) {
    const std::vector<bool> sample = sample_of(by.seed, job);
    std::vector<digest> sampled;
    for (std::size_t i = 0; i < commitments.size(); ++i) {
        if (sample[i]) {
            sampled.push_back(commitments[i]);
        }
    }
    return outputs_root(sampled, by.scheme.tree);
}

std::string hash_of_spec(const job_record& job) {
    const model& with = catalog()[job.model];
    std::string spec;
    json_writer json(spec);
    json.begin_object().field("chunk_size", std::uint64_t{job.chunk_size});
    json.field("dimensions", std::uint64_t{with.dimensions}).field("model", with.id);
    if (job.revised) {
        json.field("revision", std::uint64_t{2});
    }
    json.end_object();
    return to_hex(sha256_of(spec));
}

}  // namespace

std::vector<bool> sample_of(std::uint64_t seed, const job_record& job) {
    const std::uint64_t chunks = job.chunks();
    std::vector<bool> sample(chunks);
    for (std::uint64_t i = 0; i < chunks; ++i) {
        sample[i] = draw(seed, job.number ^ mix64(i), purpose::sample) % sampled_one_in == 0;
    }
    if (chunks > 0) {
        sample[draw_below(seed, job.number, purpose::sample, chunks)] = true;
    }
    return sample;
}

receipt_claims claims_of(const issuer& by, const job_record& job, std::span<const digest> commitments) {
    receipt_claims claims;
    claims.receipt_id = job.receipt_id;
    claims.job_id = job.id;
    claims.spec_hash = hash_of_spec(job);
    claims.inputs_root = root_of_inputs(job.texts, by.scheme.tree);
    claims.outputs_root = outputs_root(commitments, by.scheme.tree);
    claims.verification_attestation = attestation_of(by, job, commitments);
    claims.executor_attestation_id = execution_id_of(by.seed, job.number);
    claims.issued_at = timestamp(job.settles_wall);
    return claims;
}

std::string receipt_text(const receipt_claims& claims, std::string_view hash) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.field("receipt_id", claims.receipt_id).field("job_id", claims.job_id).field("spec_hash", claims.spec_hash);
    json.field("inputs_root", claims.inputs_root).field("outputs_root", claims.outputs_root);
    json.field("verification_attestation", claims.verification_attestation);
    json.field("verification_level", "standard");
    json.begin_array("executor_attestation_ids").element(claims.executor_attestation_id).end_array();
    json.field("issued_at", claims.issued_at).field("receipt_hash", hash).end_object();
    return text;
}

result<std::string> hash_of_claims(const issuer& by, const receipt_claims& claims) {
    return receipt_hash(receipt_text(claims, ""), by.scheme.hash);
}

result<std::string> make_receipt(const issuer& by, const job_record& job, std::span<const digest> commitments) {
    const receipt_claims claims = claims_of(by, job, commitments);
    const result<std::string> hash = hash_of_claims(by, claims);
    if (!hash) {
        return hash.error();
    }
    return receipt_text(claims, *hash);
}

result<std::string> make_spoiled_receipt(const issuer& by, testing::proof_fault fault, const job_record& job,
                                         std::span<const digest> commitments) {
    receipt_claims claims = claims_of(by, job, commitments);
    result<std::string> hash = hash_of_claims(by, claims);
    const std::uint64_t bit = draw(by.seed, job.number, purpose::proof_bit);
    bool forged = true;
    switch (fault) {
        case proof_fault::receipt_hash_bit:
            forged = false;
            if (hash) {
                flip_bit(*hash, bit);
            }
            break;
        case proof_fault::inputs_root_bit: forged = false; [[fallthrough]];
        case proof_fault::inputs_root_forged: flip_bit(claims.inputs_root, bit); break;
        case proof_fault::outputs_root_bit: forged = false; [[fallthrough]];
        case proof_fault::outputs_root_forged: flip_bit(claims.outputs_root, bit); break;
        case proof_fault::receipt_job_forged: claims.job_id = job_id_of(by.seed, ~job.number); break;
        case proof_fault::receipt_id_forged: claims.receipt_id = receipt_id_of(by.seed, ~job.number); break;
        default: break;
    }
    hash = forged ? hash_of_claims(by, claims) : hash;
    if (!hash) {
        return hash.error();
    }
    return receipt_text(claims, *hash);
}

receipt_findings check_receipt(const issuer& by, const job_record& job, std::span<const digest> commitments,
                               const std::string& receipt) {
    const auto claims = [&receipt](std::string_view name, const std::string& value) {
        return receipt.find('"' + std::string(name) + "\":\"" + value + '"') != std::string::npos;
    };
    const result<std::string> hash = receipt_hash(receipt, by.scheme.hash);
    receipt_findings findings;
    findings.receipt_hash = hash && claims("receipt_hash", *hash);
    findings.inputs_root = claims("inputs_root", root_of_inputs(job.texts, by.scheme.tree));
    findings.outputs_root = claims("outputs_root", outputs_root(commitments, by.scheme.tree));
    findings.verification_attestation = claims("verification_attestation", attestation_of(by, job, commitments));
    return findings;
}

std::string findings_json(const receipt_findings& findings, bool older_names) {
    struct named_finding {
        const char* name;
        bool passed;
    };
    const named_finding all[] = {
        {"receipt_hash", findings.receipt_hash},
        {older_names ? "input_root" : "inputs_root", findings.inputs_root},
        {older_names ? "output_root" : "outputs_root", findings.outputs_root},
        {older_names ? "proof_root" : "verification_attestation", findings.verification_attestation}};
    bool valid = true;
    for (const named_finding& finding : all) {
        valid = valid && finding.passed;
    }
    std::string text;
    json_writer json(text);
    json.begin_object().field("valid", valid).begin_object("checks");
    for (const named_finding& finding : all) {
        json.field(finding.name, finding.passed);
    }
    json.end_object().begin_array("errors");
    for (const named_finding& finding : all) {
        if (!finding.passed) {
            json.element(std::string(finding.name) + " does not match what is stored");
        }
    }
    json.end_array().end_object();
    return text;
}

}  // namespace vembed::service
