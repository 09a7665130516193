#include "audit/report/report_json.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>

#include "text/json/json_value.hpp"

namespace vembed::audit {
namespace {

namespace json = boost::json;

json::object finding_object(const check_finding& finding) {
    json::object out;
    out["message"] = text::json_string(finding.what);
    if (finding.row) {
        out["row"] = *finding.row;
    }
    if (finding.chunk) {
        out["chunk"] = *finding.chunk;
    }
    for (const auto& [key, value] : {std::pair("id", &finding.row_id), std::pair("job_id", &finding.job_id),
                                     std::pair("receipt_id", &finding.receipt_id)}) {
        if (!value->empty()) {
            out[key] = text::json_string(*value);
        }
    }
    return out;
}

json::object named_check(std::string_view name, check_verdict verdict, const std::string& basis, bool required,
                         const std::string& reason) {
    json::object out;
    out["name"] = text::json_string(name);
    out["verdict"] = to_string(verdict);
    out["basis"] = text::json_string(basis);
    out["required"] = required;
    out["reason"] = text::json_string(reason);
    return out;
}

/// What every report of receipts ends with.
void add_origin(json::object& out) {
    out["receipts_signed"] = false;
    out["origin"] = origin_line;
}

}  // namespace

json::object json_of(const check_tally& check) {
    json::object out;
    out["name"] = check.name;
    out["verdict"] = to_string(check.verdict());
    out["basis"] = text::json_string(check.basis());
    out["shows"] = text::json_string(check.shows);
    out["required"] = check.required;
    out["unit"] = check.unit;
    out["verified"] = check.verified;
    out["failed"] = check.failed;
    out["not_checkable"] = check.not_checkable;
    json::array findings;
    for (const check_finding& finding : check.findings) {
        findings.push_back(finding_object(finding));
    }
    out["findings"] = std::move(findings);
    if (!check.reason.empty()) {
        out["reason"] = text::json_string(check.reason);
    }
    return out;
}

json::object json_of(const folder_report& report) {
    json::object out;
    out["outcome"] = report.judgement.text();
    out["failed"] = text::strings_array(report.judgement.failed);
    out["required_not_checkable"] = text::strings_array(report.judgement.missing);
    out["not_checkable"] = text::strings_array(report.judgement.open);
    out["complete"] = report.complete;
    out["rows"] = report.rows;
    out["dimensions"] = report.dimensions;
    out["jobs"] = report.jobs;
    out["chunks"] = report.chunks;
    out["chunks_reexecuted"] = report.chunks_sampled;
    out["chunks_not_reexecuted"] = report.chunks - report.chunks_sampled;
    out["rows_in_receipts"] = report.rows_in_receipts;
    out["rows_failed"] = report.rows_failed;
    out["rows_refused"] = report.rows_refused;
    out["rows_copied"] = report.rows_copied;
    out["rows_cached"] = report.rows_cached;
    out["pins"] = to_string(report.pins_from);
    if (report.recorded && !report.recorded->account_id.empty()) {
        out["account_id"] = text::json_string(report.recorded->account_id);
    }
    if (!report.service_asked.empty()) {
        out["service_asked"] = text::json_string(report.service_asked);
    }
    add_origin(out);
    return out;
}

json::object json_of(const row_proof& proof) {
    json::object out;
    out["row"] = proof.row.number;
    out["rows"] = proof.row.rows;
    out["row_root"] = to_hex(proof.row.root);
    out["platform"] = proof.platform.has_value();
    if (proof.platform) {
        out["of_row"] = proof.platform->of_row;
        out["job_id"] = text::json_string(proof.platform->job_id);
        out["receipt_id"] = text::json_string(proof.platform->receipt_id);
        out["chunk_reexecuted"] = proof.platform->chunk.selected_for_verification;
    }
    return out;
}

json::object json_of(const row_proof_report& report) {
    json::object out;
    out["outcome"] = to_string(report.verdict());
    out["subject"] = text::json_string(report.subject);
    json::array checks;
    for (const row_proof_check& check : report.checks) {
        checks.push_back(named_check(check.name, check.verdict, check.basis, check.required, check.reason));
    }
    out["checks"] = std::move(checks);
    add_origin(out);
    return out;
}

json::object json_of(const receipt_report& report) {
    json::object out;
    json::array checks;
    for (const offline_check& check : report.checks.checks) {
        checks.push_back(named_check(check.name, check.verdict, check.basis_text(), report.requires_check(check.name),
                                     check.reason));
    }
    out["checks"] = std::move(checks);
    out["chunks_reexecuted"] = text::rows_array(report.checks.chunks_reexecuted);
    out["chunks_not_reexecuted"] = text::rows_array(report.checks.chunks_not_reexecuted);
    add_origin(out);
    return out;
}

json::object json_of(const receipt& of) {
    json::object out;
    out["receipt_id"] = text::json_string(of.receipt_id);
    out["job_id"] = text::json_string(of.job_id);
    out["spec_hash"] = text::json_string(of.spec_hash);
    out["inputs_root"] = text::json_string(of.inputs_root);
    out["outputs_root"] = text::json_string(of.outputs_root);
    out["verification_attestation"] = text::json_string(of.verification_attestation);
    out["verification_level"] = text::json_string(of.verification_level);
    out["executor_attestation_ids"] = text::strings_array(of.executor_attestation_ids);
    out["issued_at"] = text::json_string(of.issued_at);
    out["receipt_hash"] = text::json_string(of.receipt_hash);
    out["signed"] = false;
    return out;
}

}  // namespace vembed::audit
