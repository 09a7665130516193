#include "bulk/report_json.hpp"

#include <utility>

#include "text/json_value.hpp"

namespace vembed::bulk {
namespace {

namespace json = boost::json;

json::object use_object(const quota_use& use) {
    json::object out;
    out["used"] = use.used;
    text::set(out, "limit", use.limit);
    return out;
}

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
            one["reason"] = text::json_string(check.reason);
        }
        checks.push_back(std::move(one));
    }
    return checks;
}

}  // namespace

json::object quota_object(const quota_state& state) {
    json::object out;
    out["chunks_minute"] = use_object(state.chunks_minute);
    out["requests_minute"] = use_object(state.requests_minute);
    out["chunks_day"] = use_object(state.chunks_day);
    out["chunks_period"] = use_object(state.chunks_period);
    out["jobs_in_flight"] = use_object(state.jobs_in_flight);
    text::set_seconds(out, "period_left_s", state.period_left);
    return out;
}

json::object progress_object(const progress& state) {
    json::object out;
    out["rows_done"] = state.rows_done;
    out["rows_failed"] = state.rows_failed;
    out["rows_blank"] = state.rows_blank;
    out["rows_read"] = state.rows_read;
    text::set(out, "rows_total", state.rows_total);
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
    out["limited_by"] = text::json_string(state.limited_by);
    if (state.unreachable_for) {
        out["unreachable_ms"] = state.unreachable_for->count();
        out["unreachable_reason"] = text::json_string(state.unreachable_reason);
    }
    text::set_seconds(out, "time_left_s", state.time_left);
    out["finish_bound"] = text::json_string(state.finish_bound);
    text::set_seconds(out, "tier_left_s", state.tier_left);
    out["rows_beyond_tier"] = state.rows_beyond_tier;
    return out;
}

json::object unknown_batch_object(const unknown_batch& batch) {
    json::object out;
    out["batch"] = batch.batch;
    out["rows"] = text::rows_array(batch.rows);
    out["chunks_estimated"] = batch.chunks_estimated;
    if (!batch.job_id.empty()) {
        out["job_id"] = text::json_string(batch.job_id);
    }
    out["resubmitted"] = batch.resubmitted;
    out["not_charged"] = batch.not_charged;
    out["probably_charged"] = batch.probably_charged;
    out["reason"] = text::json_string(batch.reason);
    return out;
}

json::array jobs_left_array(const std::vector<job_left>& left_jobs) {
    json::array jobs;
    for (const job_left& left : left_jobs) {
        json::object one;
        one["batch"] = left.batch;
        one["job_id"] = text::json_string(left.job_id);
        one["rows"] = text::ranges_array(left.rows);
        one["at_fault"] = left.at_fault;
        one["check_failed"] = left.check_failed;
        one["reason"] = text::json_string(left.reason);
        jobs.push_back(std::move(one));
    }
    return jobs;
}

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
        out["spec_hash"] = text::json_string(report.spec_hash);
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
        out["cache_trouble"] = text::json_string(report.cache_trouble);
    }
    out["rows_per_chunk"] = report.rows_per_chunk;
    out["chunks_naive"] = report.chunks_naive;
    json::array unknown;
    for (const unknown_batch& batch : report.unknown) {
        unknown.push_back(unknown_batch_object(batch));
    }
    out["unknown"] = std::move(unknown);
    out["jobs_left"] = jobs_left_array(report.jobs_left);
    out["elapsed_ms"] = report.elapsed.count();
    out["pauses"] = report.pauses;
    out["paused_ms"] = report.paused.count();
    text::set_seconds(out, "tier_left_s", report.tier_left);
    out["rows_beyond_tier"] = report.rows_beyond_tier;
    text::set_seconds(out, "resume_after_s", report.resume_after);
    out["message"] = text::json_string(report.message);
    return out;
}

}  // namespace vembed::bulk
