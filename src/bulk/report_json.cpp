#include "bulk/report_json.hpp"

#include "text/json/described_json.hpp"

namespace vembed {

namespace json = boost::json;

BOOST_DESCRIBE_STRUCT(quota_use, (), (used, limit))
BOOST_DESCRIBE_STRUCT(quota_state, (),
                      (chunks_minute, requests_minute, chunks_day, chunks_period, jobs_in_flight, period_left))
BOOST_DESCRIBE_STRUCT(check_count, (), (name, verified, failed, not_checkable, basis, reason))
BOOST_DESCRIBE_STRUCT(unknown_batch, (),
                      (batch, rows, chunks_estimated, job_id, resubmitted, not_charged, probably_charged, reason))
BOOST_DESCRIBE_STRUCT(job_left, (), (batch, job_id, rows, at_fault, check_failed, reason))
BOOST_DESCRIBE_STRUCT(bulk_report, (),
                      (reason, rows_total, rows_done, rows_done_before, rows_failed, rows_blank, jobs_unverified,
                       dimensions, spec_hash, checks, jobs, chunks_used, chunks_sampled, extra_chunks, narrowing_chunks,
                       rows_duplicate, rows_cached, cache_trouble, rows_per_chunk, chunks_naive, unknown, jobs_left,
                       elapsed, pauses, paused, tier_left, rows_beyond_tier, resume_after, message))
// What progress says of the service's silence and of the time left is written by hand: its names differ.
BOOST_DESCRIBE_STRUCT(progress, (),
                      (rows_done, rows_failed, rows_blank, rows_read, rows_total, jobs_in_flight, jobs_done,
                       batches_unknown, chunks_used, rows_duplicate, rows_cached, quota, pauses, paused, elapsed,
                       rows_per_second, limited_by))

constexpr std::array<std::string_view, 1> left_out_if_empty(const check_count*) {
    return {"reason"};
}
constexpr std::array<std::string_view, 1> left_out_if_empty(const unknown_batch*) {
    return {"job_id"};
}
constexpr std::array<std::string_view, 2> left_out_if_empty(const bulk_report*) {
    return {"spec_hash", "cache_trouble"};
}

namespace bulk {

json::object progress_object(const progress& state) {
    json::object out = text::described(state);
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

json::object report_object(const bulk_report& report) {
    return text::described(report);
}

json::array jobs_left_array(const std::vector<job_left>& left_jobs) {
    return text::described_value(left_jobs).get_array();
}

}  // namespace bulk
}  // namespace vembed
