#include "service/receipts.hpp"

#include <vembed/verify/merkle.hpp>
#include <vembed/verify/receipt_hash.hpp>

#include "service/draw.hpp"
#include "service/json_text.hpp"
#include "service/models.hpp"

namespace vembed::service {
namespace {

constexpr std::uint64_t sampled_one_in = 10;

std::string root_of_inputs(const text_list& texts) {
    merkle_builder tree;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        tree.add(leaf_hash(std::as_bytes(std::span(texts[i]))));
    }
    return to_hex(tree.root());
}

// The root over the commitments of the re-executed chunks, in their order.
std::string attestation_of(std::uint64_t seed, const job_record& job, std::span<const digest> commitments) {
    const std::vector<bool> sample = sample_of(seed, job);
    merkle_builder tree;
    for (std::size_t i = 0; i < commitments.size(); ++i) {
        if (sample[i]) {
            tree.add(leaf_hash(commitments[i]));
        }
    }
    return to_hex(tree.root());
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

result<std::string> make_receipt(std::uint64_t seed, const job_record& job, std::span<const digest> commitments) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.field("receipt_id", job.receipt_id).field("job_id", job.id).field("spec_hash", hash_of_spec(job));
    json.field("inputs_root", root_of_inputs(job.texts)).field("outputs_root", outputs_root(commitments));
    json.field("verification_attestation", attestation_of(seed, job, commitments));
    json.field("verification_level", "sampled");
    json.begin_array("executor_attestation_ids");
    json.element("att_" + draw_hex(seed, job.number, purpose::attestation, 16));
    json.end_array();
    json.field("issued_at", timestamp(job.settles_wall));
    const result<std::string> hash = receipt_hash(text + "}");
    if (!hash) {
        return hash.error();
    }
    json.field("receipt_hash", *hash).end_object();
    return text;
}

receipt_findings check_receipt(std::uint64_t seed, const job_record& job, std::span<const digest> commitments,
                               const std::string& receipt) {
    const auto claims = [&receipt](std::string_view name, const std::string& value) {
        return receipt.find('"' + std::string(name) + "\":\"" + value + '"') != std::string::npos;
    };
    const result<std::string> hash = receipt_hash(receipt);
    receipt_findings findings;
    findings.receipt_hash = hash && claims("receipt_hash", *hash);
    findings.inputs_root = claims("inputs_root", root_of_inputs(job.texts));
    findings.outputs_root = claims("outputs_root", outputs_root(commitments));
    findings.verification_attestation = claims("verification_attestation", attestation_of(seed, job, commitments));
    return findings;
}

std::string findings_json(const receipt_findings& findings) {
    struct named_finding {
        const char* name;
        bool passed;
    };
    const named_finding all[] = {{"receipt_hash", findings.receipt_hash},
                                 {"inputs_root", findings.inputs_root},
                                 {"outputs_root", findings.outputs_root},
                                 {"verification_attestation", findings.verification_attestation}};
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
