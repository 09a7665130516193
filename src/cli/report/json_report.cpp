#include "cli/report/json_report.hpp"

#include <optional>

#include "core/redaction.hpp"
#include "text/json_value.hpp"

namespace vembed::cli {
namespace {

namespace json = boost::json;

json::array checks_array(const std::vector<receipt_check>& checks) {
    json::array out;
    for (const receipt_check& check : checks) {
        json::object one;
        one["name"] = text::json_string(check.name);
        one["passed"] = check.passed;
        out.push_back(std::move(one));
    }
    return out;
}

json::value time_or_null(const std::optional<std::string>& time) {
    return time ? json::value(text::json_string(*time)) : json::value();
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

// The body of a response; it may be JSON with a key in it that is written with escapes.
json::string body_string(std::string_view body) {
    return text::json_string(masked_json(body));
}

}  // namespace

json::object forecast_object(const finish_forecast& of) {
    json::object out;
    out["chunks_bought"] = of.bought;
    out["chunks_unbought"] = of.unbought;
    text::set_seconds(out, "time_left_s", of.time_left);
    out["bound"] = to_string(of.bound);
    json::array limits;
    for (const forecast_limit& limit : of.limits) {
        json::object one;
        one["bound"] = to_string(limit.bound);
        one["chunks_bought"] = limit.bought;
        text::set_seconds(one, "time_left_s", limit.time_left);
        limits.push_back(std::move(one));
    }
    out["limits"] = std::move(limits);
    json::array days;
    for (const forecast_days& group : of.days) {
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

json::object failure_object(const error& f) {
    json::object out;
    out["kind"] = to_string(f.kind);
    out["message"] = text::json_string(f.message);
    if (f.http_status != 0) {
        out["http_status"] = f.http_status;
    }
    const auto set_text = [&out](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            out[key] = text::json_string(value);
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
        out["errors"] = text::strings_array(f.errors);
    }
    if (!f.raw_body.empty()) {
        out["body"] = body_string(std::string_view(f.raw_body).substr(0, error::max_raw_body));
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
        one["status"] = text::json_string(chunk.status);
        out.push_back(std::move(one));
    }
    return out;
}

json::object health_object(const health_info& of) {
    json::object out;
    out["ok"] = of.ok;
    out["service"] = text::json_string(of.service);
    return out;
}

json::object job_object(const job& of) {
    json::object out;
    out["id"] = text::json_string(of.id);
    out["status"] = text::json_string(of.status_text);
    out["chunk_count"] = of.chunk_count;
    text::set(out, "receipt_id", of.receipt_id);
    text::set(out, "created_at", of.created_at);
    return out;
}

json::object results_object(const job_results& of) {
    json::object out;
    out["job_id"] = text::json_string(of.job_id);
    out["status"] = to_string(of.status);
    text::set(out, "receipt_id", of.receipt_id);
    json::array chunks;
    for (const chunk_result& chunk : of.chunks) {
        json::object one;
        one["chunk_index"] = chunk.chunk_index;
        one["row_start"] = chunk.row_start;
        one["row_end"] = chunk.row_end;
        one["status"] = text::json_string(chunk.status);
        text::set(one, "output_commitment", chunk.output_commitment);
        one["selected_for_verification"] = chunk.selected_for_verification;
        chunks.push_back(std::move(one));
    }
    out["chunks"] = std::move(chunks);
    return out;
}

json::object verification_object(const receipt_verification& of) {
    json::object out;
    out["valid"] = of.valid;
    out["checks"] = checks_array(of.checks);
    out["errors"] = text::strings_array(of.errors);
    return out;
}

json::object model_object(const model_info& of) {
    json::object out;
    out["id"] = text::json_string(of.id);
    out["name"] = text::json_string(of.name);
    out["description"] = text::json_string(of.description);
    out["output_dimensions"] = of.output_dimensions;
    text::set(out, "max_input_length_tokens", of.max_input_length_tokens);
    return out;
}

json::object account_object(const account_info& of) {
    json::object out;
    out["account_id"] = text::json_string(of.account_id);
    out["name"] = text::json_string(of.name);
    out["email"] = text::json_string(of.email);
    out["username"] = text::json_string(of.username);
    out["email_verified_at"] = time_or_null(of.email_verified_at);
    out["tier"] = text::json_string(of.tier);
    out["effective_tier"] = text::json_string(of.effective_tier);
    out["subscription_status"] = text::json_string(of.subscription_status);
    out["trial_started_at"] = time_or_null(of.trial_started_at);
    out["trial_ends_at"] = time_or_null(of.trial_ends_at);
    out["chunks_consumed_period"] = of.chunks_consumed_period;
    out["chunks_period_started_at"] = time_or_null(of.chunks_period_started_at);
    out["limits"] = limits_object(of.limits);
    json::array keys;
    for (const api_key_info& key : of.keys) {
        json::object one;
        one["key_id"] = text::json_string(key.key_id);
        one["label"] = text::json_string(key.label);
        one["created_at"] = time_or_null(key.created_at);
        one["last_used_at"] = time_or_null(key.last_used_at);
        one["revoked_at"] = time_or_null(key.revoked_at);
        keys.push_back(std::move(one));
    }
    out["keys"] = std::move(keys);
    return out;
}

}  // namespace vembed::cli
