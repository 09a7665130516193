#include <vembed/verify/claim_check.hpp>

#include <algorithm>
#include <utility>

#include "verify/receipt/receipt_fields.hpp"

namespace vembed {
namespace {

constexpr std::string_view no_chunks = "POST /verify lists no chunks";

offline_check& check_named(offline_report& report, std::string_view name) {
    for (offline_check& check : report.checks) {
        if (check.name == name) {
            return check;
        }
    }
    return report.checks.emplace_back(name, check_verdict::not_checkable, check_basis::none, "");
}

std::vector<commitment_encoding> encodings_open(const account_pins& pins) {
    if (pins.candidates(pin_kind::output_commitment).empty()) {
        return commitment_encodings();
    }
    std::vector<commitment_encoding> open;
    for (const std::string& name : pins.candidates(pin_kind::output_commitment)) {
        if (const auto encoding = commitment_encoding_named(name)) {
            open.push_back(*encoding);
        }
    }
    return open;
}

// Presents the claim as the results of a job of one chunk that was re-executed.
results_evidence as_one_chunk(const claim_evidence& claim, const std::string& job_id, const digest& claimed,
                              commitment_encoding encoding) {
    results_evidence results;
    results.job_id = job_id;
    results.chunks.emplace_back(0, 0, claim.rows, chunk_commitment(claimed, encoding), true);
    return results;
}

void add_new(std::vector<std::string>& to, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (std::ranges::find(to, name) == to.end()) {
            to.push_back(name);
        }
    }
}

// Pins the candidates that matched, and those that this version cannot try.
template <class Scheme>
void keep(account_pins& pins, pin_kind kind, std::vector<std::string> matching, const std::vector<Scheme>& tried) {
    for (const std::string& name : pins.candidates(kind)) {
        const auto has_name = [&name](const Scheme& scheme) { return name_of(scheme) == name; };
        if (std::ranges::none_of(tried, has_name)) {
            matching.push_back(name);
        }
    }
    pins.set(kind, std::move(matching));
}

void settle_root(offline_check& check, const claim_evidence& claim, bool encoding_known) {
    const bool certain = claim.one_chunk && encoding_known;
    if (check.verdict == check_verdict::verified) {
        check.reason = "recomputed from the claimed commitment, as the only chunk's";
    } else if (!certain || check.verdict != check_verdict::failed) {
        check.verdict = check_verdict::not_checkable;
        check.reason = claim.one_chunk ? "no known scheme gives it from the claimed commitment"
                                       : "it is not known to be over one chunk: the service may have cut the " +
                                             std::to_string(claim.rows) + " rows into several";
    }
}

}  // namespace

offline_report verify_claim_offline(std::string_view receipt_text, const claim_evidence& claim,
                                    const account_pins& pins) {
    const auto fields = verify::read_receipt_fields(receipt_text);
    offline_evidence evidence;
    evidence.job_id = fields ? fields->job_id : std::string();
    evidence.model = claim.model;
    evidence.rows = claim.rows;
    evidence.spec_hash = claim.spec_hash;
    evidence.inputs = claim.inputs;
    offline_report report = verify_receipt_offline(receipt_text, evidence, pins);
    for (const std::string_view name : {"results_job", "ranges", "output_commitment"}) {
        check_named(report, name).reason = no_chunks;
    }
    check_named(report, "output_shape").reason = "the output is the caller's own";
    const std::optional<digest> claimed = digest_from_hex(claim.commitment);
    if (!fields || !claimed) {
        return report;
    }
    offline_check& job = check_named(report, "receipt_job");
    job.verdict = check_verdict::not_checkable;
    job.reason = "POST /verify names no job but in the receipt: " + verify::quoted(fields->job_id);
    offline_check outputs = check_named(report, "outputs_root");
    offline_check attestation = check_named(report, "verification_attestation");
    attestation.reason = no_chunks;
    const std::vector<commitment_encoding> encodings = encodings_open(pins);
    std::vector<std::string> trees;
    std::vector<std::string> matching;
    for (const commitment_encoding encoding : encodings) {
        evidence.results = as_one_chunk(claim, fields->job_id, *claimed, encoding);
        offline_report as_one = verify_receipt_offline(receipt_text, evidence, pins);
        const offline_check& root = *as_one.find("outputs_root");
        if (root.verdict != check_verdict::verified) {
            outputs = matching.empty() ? root : outputs;
            continue;
        }
        // One encoding with one leaf may give what another encoding gives with another leaf, so all that match stay
        // candidates.
        outputs = root;
        matching.push_back(name_of(encoding));
        add_new(trees, root.schemes);
        if (as_one.find("verification_attestation")->verdict == check_verdict::verified) {
            attestation = *as_one.find("verification_attestation");
        }
    }
    if (!matching.empty()) {
        outputs.schemes = trees;
        keep(report.pins, pin_kind::outputs_root, std::move(trees), output_tree_schemes());
        keep(report.pins, pin_kind::output_commitment, std::move(matching), commitment_encodings());
    }
    // A candidate that this version cannot try may be the right one.
    settle_root(outputs, claim, pins.pinned(pin_kind::output_commitment) && encodings.size() == 1);
    check_named(report, "outputs_root") = std::move(outputs);
    check_named(report, "verification_attestation") = std::move(attestation);
    if (report.first_failed() != nullptr) {
        report.pins = pins;
    }
    return report;
}

}  // namespace vembed
