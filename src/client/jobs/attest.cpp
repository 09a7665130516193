#include "client/jobs/attest.hpp"

#include <algorithm>

#include <vembed/verify/commitment.hpp>

#include "policy/packing/spec_chunk_size.hpp"

namespace vembed::detail {
namespace {

// Whether the request fits in one chunk, as far as the chunk size is known.
bool is_one_chunk(const cyberian::endpoints& api, const job_request& request) {
    const cyberian::request_view parts(request);
    const auto named = policy::chunk_size_of_spec(request.spec_yaml);
    const std::uint64_t size = named ? *named : api.rows_per_chunk(parts.name());
    return request.inputs.size() <= std::max<std::uint64_t>(size, 1);
}

claim_evidence evidence_of(const cyberian::endpoints& api, const job_request& request, const std::string& commitment) {
    claim_evidence evidence;
    evidence.model = request.model;
    evidence.rows = request.inputs.size();
    evidence.commitment = commitment;
    evidence.one_chunk = is_one_chunk(api, request);
    evidence.inputs.emplace();
    evidence.inputs->reserve(request.inputs.size());
    for (const std::string& text : request.inputs) {
        evidence.inputs->emplace_back(text);
    }
    return evidence;
}

}  // namespace

result<std::string> claim_of(const job_request& request, const Eigen::Ref<const matrix>& rows) {
    if (request.inputs.empty()) {
        return error(errc::invalid_argument, "there are no texts to verify outputs of");
    }
    if (rows.rows() != static_cast<Eigen::Index>(request.inputs.size()) || rows.cols() == 0) {
        return error(errc::invalid_argument, std::to_string(request.inputs.size()) + " texts have " +
                                                 std::to_string(request.inputs.size()) +
                                                 " rows of outputs, not a matrix of " + std::to_string(rows.rows()) +
                                                 " x " + std::to_string(rows.cols()));
    }
    for (Eigen::Index row = 0; row < rows.rows(); ++row) {
        if (!rows.row(row).allFinite()) {
            return error(errc::invalid_argument, "row " + std::to_string(row) +
                                                     " of the outputs has a number that is not finite: no model "
                                                     "gives that, so the verification could only fail");
        }
    }
    return commitment(rows);
}

asio::awaitable<result<receipt>> submit_claim(std::shared_ptr<client_core> core,
                                              std::shared_ptr<const job_request> request, std::string commitment,
                                              monotonic_time deadline) {
    const result<void> learned = co_await core->learn_limits(deadline);
    if (!learned) {
        co_return learned.error();
    }
    co_return co_await core->api->verify_outputs(std::move(request), std::move(commitment), deadline);
}

error failed_attestation(const attestation& made) {
    const offline_check* const bad = made.report.first_failed();
    error f(errc::verification_failed,
            "the service attested the outputs, but its receipt fails the check " + bad->name + ": " + bad->reason);
    f.job_id = made.receipt.job_id;
    f.receipt_id = made.receipt.receipt_id;
    for (const offline_check& check : made.report.checks) {
        if (check.verdict != check_verdict::not_checkable) {
            f.checks.emplace_back(check.name, check.verdict == check_verdict::verified);
        }
    }
    f.raw_body = made.receipt.raw_text.substr(0, error::max_raw_body);
    return f;
}

asio::awaitable<result<attestation>> attest(std::shared_ptr<client_core> core,
                                            std::shared_ptr<const job_request> request, result<std::string> claim,
                                            monotonic_time deadline) {
    if (!claim) {
        co_return claim.error();
    }
    std::string submitted = *claim;
    result<receipt> got = co_await submit_claim(core, request, std::move(submitted), deadline);
    if (!got) {
        co_return got.error();
    }
    attestation made;
    made.commitment = std::move(*claim);
    made.receipt = std::move(*got);
    const claim_evidence evidence = evidence_of(*core->api, *request, made.commitment);
    made.report = verify_claim_offline(made.receipt.raw_text, evidence, *core->pins);
    if (made.report.first_failed() != nullptr) {
        co_return failed_attestation(made);
    }
    if (made.report.find("outputs_root")->verdict == check_verdict::verified) {
        // The root is over one commitment, so a chunk takes that many rows.
        core->api->learn_rows_per_chunk(cyberian::request_view(*request).name(), request->inputs.size());
    }
    *core->pins = narrowed(*core->pins, made.report.pins);
    co_await core->keep_pins(deadline);
    co_return made;
}

}  // namespace vembed::detail
