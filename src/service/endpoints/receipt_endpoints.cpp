#include <algorithm>

#include "service/endpoints/json_text.hpp"
#include "service/jobs/receipts.hpp"
#include "service/state.hpp"

namespace vembed::testing {

using vembed::service::error_response;
using vembed::service::job_state;
using vembed::service::json_response;
using vembed::service::json_writer;
using vembed::service::refusal;

namespace {

// How long POST /verify blocks before it gives up with 504.
constexpr std::chrono::seconds verify_wait_max{60};

}  // namespace

service::impl::answer<service::impl::job_record*> service::impl::find_receipt(const asked& call) {
    job_record* const job = jobs_.find_receipt(call.where->id);
    if (job == nullptr || job->account != call.who->number() || job->state_at(call.now) != job_state::settled) {
        return refusal(404, "not_found", "this account has no such receipt");
    }
    return job;
}

service::impl::answer<std::string> service::impl::receipt_of(job_record& job) {
    if (job.receipt.empty()) {
        result<std::string> made = vembed::service::make_receipt(issuer_, job, outputs_.commitments_of(job));
        if (!made) {
            return refusal(500, "internal_error", made.error().message);
        }
        job.receipt = *std::move(made);
    }
    return job.receipt;
}

// The receipt that is handed out: if the job is spoiled, it may be spoiled or another job's.
service::impl::answer<std::string> service::impl::shown_receipt_of(job_record& job) {
    if (!job.spoiled) {
        return receipt_of(job);
    }
    result<std::string> made = std::string();
    if (*job.spoiled == proof_fault::receipt_of_another) {
        const auto other = vembed::service::another_job(options_.seed, job);
        made = vembed::service::make_receipt(issuer_, *other, outputs_.commitments_of(*other));
    } else {
        made = vembed::service::make_spoiled_receipt(issuer_, *job.spoiled, job, outputs_.commitments_of(job));
    }
    if (!made) {
        return refusal(500, "internal_error", made.error().message);
    }
    return *std::move(made);
}

service_response service::impl::show_receipt(const asked& call) {
    const answer<job_record*> job = find_receipt(call);
    if (!job) {
        return error_response(job.error());
    }
    answer<std::string> receipt = shown_receipt_of(**job);
    return receipt ? json_response(200, *std::move(receipt)) : error_response(receipt.error());
}

service_response service::impl::verify_receipt(const asked& call) {
    const answer<job_record*> job = find_receipt(call);
    if (!job) {
        return error_response(job.error());
    }
    const answer<std::string> receipt = options_.spoiled_in_transfer ? receipt_of(**job) : shown_receipt_of(**job);
    if (!receipt) {
        return error_response(receipt.error());
    }
    vembed::service::receipt_findings findings =
        vembed::service::check_receipt(issuer_, **job, outputs_.commitments_of(**job), *receipt);
    if (any_faults_ && faults_.invalid_receipt(call.ordinal)) {
        findings.outputs_root = false;
    }
    return json_response(200, vembed::service::findings_json(findings, (*job)->older_form));
}

// The first call takes the job and holds the request until the job settles. The second call answers.
service_response service::impl::verify_outputs(const asked& call) {
    if (const vembed::service::held_request* const waiting = held(call.ordinal); waiting != nullptr) {
        job_record* const job = jobs_.find(waiting->job_id);
        if (job == nullptr || call.now < job->settles_at) {
            return error_response(refusal(504, "verification_timeout", "the verification took longer than 60 s"));
        }
        return finish_verify(*job);
    }
    const answer<job_record*> submitted = submit(call, true);
    if (!submitted) {
        return error_response(submitted.error());
    }
    job_record& job = **submitted;
    if (call.now >= job.settles_at) {
        return finish_verify(job);
    }
    service_response later;
    later.hold_until = std::min(job.settles_at, deadline_after(call.now, verify_wait_max));
    hold(call.ordinal, *later.hold_until).job_id = job.id;
    return later;
}

service_response service::impl::finish_verify(job_record& job) {
    jobs_.delivered(job);
    const std::optional<digest> claimed = digest_from_hex(job.claimed_commitment);
    if (claimed && *claimed == outputs_.whole_commitment(job)) {
        answer<std::string> receipt = shown_receipt_of(job);
        return receipt ? json_response(200, *std::move(receipt)) : error_response(receipt.error());
    }
    std::string text;
    json_writer json(text);
    json.begin_object().field("error", "verification_failed");
    json.field("reason", claimed ? "the claimed commitment is not that of the recomputed output"
                                 : "the claimed commitment is not 64 hex digits");
    json.field("job_id", job.id).end_object();
    return json_response(422, std::move(text));
}

}  // namespace vembed::testing
