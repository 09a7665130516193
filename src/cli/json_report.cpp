#include "cli/json_report.hpp"

#include <chrono>
#include <optional>

#include "bulk/row_ranges.hpp"
#include "cli/text_format.hpp"
#include "core/redaction.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

void set(json::object& object, std::string_view key, const std::optional<std::string>& value) {
    if (value) {
        object[key] = json_string(*value);
    }
}

void set(json::object& object, std::string_view key, const std::optional<std::uint64_t>& value) {
    if (value) {
        object[key] = *value;
    }
}

json::array checks_array(const std::vector<receipt_check>& checks) {
    json::array out;
    for (const receipt_check& check : checks) {
        json::object one;
        one["name"] = json_string(check.name);
        one["passed"] = check.passed;
        out.push_back(std::move(one));
    }
    return out;
}

json::array strings_array(const std::vector<std::string>& texts) {
    json::array out;
    for (const std::string& text : texts) {
        out.emplace_back(json_string(text));
    }
    return out;
}

json::value time_or_null(const std::optional<std::string>& time) {
    return time ? json::value(json_string(*time)) : json::value();
}

json::value number_or_null(const std::optional<std::uint64_t>& number) {
    return number ? json::value(*number) : json::value();
}

json::object limits_object(const account_limits& limits) {
    json::object out;
    out["chunks_per_period"] = number_or_null(limits.chunks_per_period);
    out["period_length_days"] = number_or_null(limits.period_length_days);
    out["chunks_per_day"] = number_or_null(limits.chunks_per_day);
    out["chunks_per_minute"] = number_or_null(limits.chunks_per_minute);
    out["max_chunks_per_request"] = number_or_null(limits.max_chunks_per_request);
    out["max_inputs"] = number_or_null(limits.max_inputs);
    return out;
}

// Of a reply, which may be JSON with a key in it that is written with escapes.
json::string body_string(std::string_view body) {
    return json_string(masked_json(body));
}

json::object use_object(const quota_use& use) {
    json::object out;
    out["used"] = use.used;
    set(out, "limit", use.limit);
    return out;
}

void set_seconds(json::object& object, std::string_view key, const std::optional<std::chrono::seconds>& value) {
    if (value) {
        object[key] = value->count();
    }
}

}  // namespace

json::string json_string(std::string_view text) {
    return json::string(masked_keys(utf8_text(text)));
}

json::array rows_array(const std::vector<std::uint64_t>& rows) {
    return ranges_array(bulk::ranges_of(rows));
}

json::array ranges_array(const row_ranges& ranges) {
    json::array out;
    for (const auto& [first, end] : ranges) {
        out.push_back(json::array({first, end}));
    }
    return out;
}

json::object quota_object(const quota_state& state) {
    json::object out;
    out["chunks_minute"] = use_object(state.chunks_minute);
    out["requests_minute"] = use_object(state.requests_minute);
    out["chunks_day"] = use_object(state.chunks_day);
    out["chunks_period"] = use_object(state.chunks_period);
    out["jobs_in_flight"] = use_object(state.jobs_in_flight);
    set_seconds(out, "period_left_s", state.period_left);
    return out;
}

json::object progress_object(const progress& state) {
    json::object out;
    out["rows_done"] = state.rows_done;
    out["rows_failed"] = state.rows_failed;
    out["rows_blank"] = state.rows_blank;
    out["rows_read"] = state.rows_read;
    set(out, "rows_total", state.rows_total);
    out["jobs_in_flight"] = state.jobs_in_flight;
    out["jobs_done"] = state.jobs_done;
    out["batches_unknown"] = state.batches_unknown;
    out["chunks_used"] = state.chunks_used;
    out["rows_duplicate"] = state.rows_duplicate;
    out["rows_cached"] = state.rows_cached;
    out["quota"] = quota_object(state.quota);
    out["pauses"] = state.pauses;
    out["paused_ms"] = state.paused.count();
    out["elapsed_ms"] = state.elapsed.count();
    out["rows_per_second"] = state.rows_per_second;
    out["limited_by"] = json_string(state.limited_by);
    if (state.unreachable_for) {
        out["unreachable_ms"] = state.unreachable_for->count();
        out["unreachable_reason"] = json_string(state.unreachable_reason);
    }
    set_seconds(out, "time_left_s", state.time_left);
    out["finish_bound"] = json_string(state.finish_bound);
    set_seconds(out, "tier_left_s", state.tier_left);
    out["rows_beyond_tier"] = state.rows_beyond_tier;
    return out;
}

json::object forecast_object(const policy::finish_forecast& of) {
    json::object out;
    out["chunks_bought"] = of.bought;
    out["chunks_unbought"] = of.unbought;
    set_seconds(out, "time_left_s", of.time_left);
    out["bound"] = to_string(of.bound);
    json::array limits;
    for (const policy::forecast_limit& limit : of.limits) {
        json::object one;
        one["bound"] = to_string(limit.bound);
        one["chunks_bought"] = limit.bought;
        set_seconds(one, "time_left_s", limit.time_left);
        limits.push_back(std::move(one));
    }
    out["limits"] = std::move(limits);
    json::array days;
    for (const policy::forecast_days& group : of.days) {
        json::object one;
        one["first_day"] = group.first_day;
        one["last_day"] = group.last_day;
        one["chunks_a_day"] = group.chunks_a_day;
        days.push_back(std::move(one));
    }
    out["days"] = std::move(days);
    return out;
}

json::object purchase_object(const purchase& of) {
    json::object out;
    out["rows_per_chunk"] = of.rows_per_chunk;
    out["rows"] = of.rows;
    out["jobs"] = of.jobs;
    out["chunks"] = of.chunks;
    out["chunks_saved_by_packing"] = of.saved_by_packing;
    out["chunks_saved_by_reuse"] = of.saved_by_reuse;
    if (of.finish) {
        out["rows_bought"] = of.rows_bought();
        out["rows_unbought"] = of.rows - of.rows_bought();
        out["forecast"] = forecast_object(*of.finish);
    }
    return out;
}

json::object unknown_batch_object(const unknown_batch& batch) {
    json::object out;
    out["batch"] = batch.batch;
    out["rows"] = rows_array(batch.rows);
    out["chunks_estimated"] = batch.chunks_estimated;
    if (!batch.job_id.empty()) {
        out["job_id"] = json_string(batch.job_id);
    }
    out["resubmitted"] = batch.resubmitted;
    out["not_charged"] = batch.not_charged;
    out["probably_charged"] = batch.probably_charged;
    out["reason"] = json_string(batch.reason);
    return out;
}

json::array jobs_left_array(const bulk_report& report) {
    json::array jobs;
    for (const job_left& left : report.jobs_left) {
        json::object one;
        one["batch"] = left.batch;
        one["job_id"] = json_string(left.job_id);
        one["rows"] = rows_array(left.rows);
        one["at_fault"] = left.at_fault;
        one["check_failed"] = left.check_failed;
        one["reason"] = json_string(left.reason);
        jobs.push_back(std::move(one));
    }
    return jobs;
}

namespace {

json::array checks_of_jobs(const bulk_report& report) {
    json::array checks;
    for (const check_count& check : report.checks) {
        json::object one;
        one["name"] = check.name;
        one["verified"] = check.verified;
        one["failed"] = check.failed;
        one["not_checkable"] = check.not_checkable;
        one["basis"] = check.basis;
        if (!check.reason.empty()) {
            one["reason"] = json_string(check.reason);
        }
        checks.push_back(std::move(one));
    }
    return checks;
}

}  // namespace

json::object report_object(const bulk_report& report) {
    json::object out;
    out["reason"] = to_string(report.reason);
    out["rows_total"] = report.rows_total;
    out["rows_done"] = report.rows_done;
    out["rows_done_before"] = report.rows_done_before;
    out["rows_failed"] = report.rows_failed;
    out["rows_blank"] = report.rows_blank;
    out["jobs_unverified"] = report.jobs_unverified;
    out["dimensions"] = report.dimensions;
    if (!report.spec_hash.empty()) {
        out["spec_hash"] = json_string(report.spec_hash);
    }
    out["checks"] = checks_of_jobs(report);
    out["jobs"] = report.jobs;
    out["chunks_used"] = report.chunks_used;
    out["chunks_sampled"] = report.chunks_sampled;
    out["extra_chunks"] = report.extra_chunks;
    out["narrowing_chunks"] = report.narrowing_chunks;
    out["rows_duplicate"] = report.rows_duplicate;
    out["rows_cached"] = report.rows_cached;
    if (!report.cache_trouble.empty()) {
        out["cache_trouble"] = json_string(report.cache_trouble);
    }
    out["rows_per_chunk"] = report.rows_per_chunk;
    out["chunks_naive"] = report.chunks_naive;
    json::array unknown;
    for (const unknown_batch& batch : report.unknown) {
        unknown.push_back(unknown_batch_object(batch));
    }
    out["unknown"] = std::move(unknown);
    out["jobs_left"] = jobs_left_array(report);
    out["elapsed_ms"] = report.elapsed.count();
    out["pauses"] = report.pauses;
    out["paused_ms"] = report.paused.count();
    set_seconds(out, "tier_left_s", report.tier_left);
    out["rows_beyond_tier"] = report.rows_beyond_tier;
    set_seconds(out, "resume_after_s", report.resume_after);
    out["message"] = json_string(report.message);
    return out;
}

json::object failure_object(const failure& f) {
    json::object out;
    out["kind"] = to_string(f.kind);
    out["message"] = json_string(f.message);
    if (f.http_status != 0) {
        out["http_status"] = f.http_status;
    }
    const auto set_text = [&out](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            out[key] = json_string(value);
        }
    };
    set_text("code", f.code);
    set_text("job_id", f.job_id);
    set_text("receipt_id", f.receipt_id);
    if (f.retry_after) {
        out["retry_after_s"] = f.retry_after->count();
    }
    if (!f.failed_chunks.empty()) {
        out["failed_chunks"] = failed_chunks_array(f.failed_chunks);
    }
    if (!f.checks.empty()) {
        out["checks"] = checks_array(f.checks);
    }
    if (!f.errors.empty()) {
        out["errors"] = strings_array(f.errors);
    }
    if (!f.raw_body.empty()) {
        out["body"] = body_string(std::string_view(f.raw_body).substr(0, failure::max_raw_body));
    }
    return out;
}

json::array failed_chunks_array(const std::vector<failed_chunk>& chunks) {
    json::array out;
    for (const failed_chunk& chunk : chunks) {
        json::object one;
        one["chunk_index"] = chunk.chunk_index;
        one["row_start"] = chunk.row_start;
        one["row_end"] = chunk.row_end;
        one["status"] = json_string(chunk.status);
        out.push_back(std::move(one));
    }
    return out;
}

json::object health_object(const health_info& of) {
    json::object out;
    out["ok"] = of.ok;
    out["service"] = json_string(of.service);
    return out;
}

json::object job_object(const job& of) {
    json::object out;
    out["id"] = json_string(of.id);
    out["status"] = json_string(of.status_text);
    out["chunk_count"] = of.chunk_count;
    set(out, "receipt_id", of.receipt_id);
    set(out, "created_at", of.created_at);
    return out;
}

json::object results_object(const job_results& of) {
    json::object out;
    out["job_id"] = json_string(of.job_id);
    out["status"] = to_string(of.status);
    set(out, "receipt_id", of.receipt_id);
    json::array chunks;
    for (const chunk_result& chunk : of.chunks) {
        json::object one;
        one["chunk_index"] = chunk.chunk_index;
        one["row_start"] = chunk.row_start;
        one["row_end"] = chunk.row_end;
        one["status"] = json_string(chunk.status);
        set(one, "output_commitment", chunk.output_commitment);
        one["selected_for_verification"] = chunk.selected_for_verification;
        chunks.push_back(std::move(one));
    }
    out["chunks"] = std::move(chunks);
    return out;
}

json::object receipt_object(const receipt& of) {
    json::object out;
    out["receipt_id"] = json_string(of.receipt_id);
    out["job_id"] = json_string(of.job_id);
    out["spec_hash"] = json_string(of.spec_hash);
    out["inputs_root"] = json_string(of.inputs_root);
    out["outputs_root"] = json_string(of.outputs_root);
    out["verification_attestation"] = json_string(of.verification_attestation);
    out["verification_level"] = json_string(of.verification_level);
    out["executor_attestation_ids"] = strings_array(of.executor_attestation_ids);
    out["issued_at"] = json_string(of.issued_at);
    out["receipt_hash"] = json_string(of.receipt_hash);
    out["signed"] = false;
    return out;
}

json::object verification_object(const receipt_verification& of) {
    json::object out;
    out["valid"] = of.valid;
    out["checks"] = checks_array(of.checks);
    out["errors"] = strings_array(of.errors);
    return out;
}

json::object model_object(const model_info& of) {
    json::object out;
    out["id"] = json_string(of.id);
    out["name"] = json_string(of.name);
    out["description"] = json_string(of.description);
    out["output_dimensions"] = of.output_dimensions;
    set(out, "max_input_length_tokens", of.max_input_length_tokens);
    return out;
}

json::object account_object(const account_info& of) {
    json::object out;
    out["account_id"] = json_string(of.account_id);
    out["name"] = json_string(of.name);
    out["email"] = json_string(of.email);
    out["username"] = json_string(of.username);
    out["email_verified_at"] = time_or_null(of.email_verified_at);
    out["tier"] = json_string(of.tier);
    out["effective_tier"] = json_string(of.effective_tier);
    out["subscription_status"] = json_string(of.subscription_status);
    out["trial_started_at"] = time_or_null(of.trial_started_at);
    out["trial_ends_at"] = time_or_null(of.trial_ends_at);
    out["chunks_consumed_period"] = of.chunks_consumed_period;
    out["chunks_period_started_at"] = time_or_null(of.chunks_period_started_at);
    out["limits"] = limits_object(of.limits);
    json::array keys;
    for (const api_key_info& key : of.keys) {
        json::object one;
        one["key_id"] = json_string(key.key_id);
        one["label"] = json_string(key.label);
        one["created_at"] = time_or_null(key.created_at);
        one["last_used_at"] = time_or_null(key.last_used_at);
        one["revoked_at"] = time_or_null(key.revoked_at);
        keys.push_back(std::move(one));
    }
    out["keys"] = std::move(keys);
    return out;
}

}  // namespace vembed::cli
