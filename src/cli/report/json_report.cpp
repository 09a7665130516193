#include "cli/report/json_report.hpp"

#include "text/json/described_json.hpp"

namespace vembed {

BOOST_DESCRIBE_STRUCT(health_info, (), (ok, service))
BOOST_DESCRIBE_STRUCT(chunk_result, (),
                      (chunk_index, row_start, row_end, status, output_commitment, selected_for_verification))
BOOST_DESCRIBE_STRUCT(job_results, (), (job_id, status, receipt_id, chunks))
BOOST_DESCRIBE_STRUCT(receipt_verification, (), (valid, checks, errors))
BOOST_DESCRIBE_STRUCT(model_info, (), (id, name, description, output_dimensions, max_input_length_tokens))
BOOST_DESCRIBE_STRUCT(account_limits, (),
                      (chunks_per_period, period_length_days, chunks_per_day, chunks_per_minute, max_chunks_per_request,
                       max_inputs))
BOOST_DESCRIBE_STRUCT(api_key_info, (), (key_id, label, created_at, last_used_at, revoked_at))
BOOST_DESCRIBE_STRUCT(account_info, (),
                      (account_id, name, email, username, email_verified_at, tier, effective_tier, subscription_status,
                       trial_started_at, trial_ends_at, chunks_consumed_period, chunks_period_started_at, limits, keys))

BOOST_DESCRIBE_STRUCT(forecast_days, (), (first_day, last_day, chunks_a_day))

namespace cli {

namespace json = boost::json;

json::object forecast_object(const finish_forecast& of) {
    json::object out = {{"chunks_bought", of.bought}, {"chunks_unbought", of.unbought}};
    text::set_seconds(out, "time_left_s", of.time_left);
    out["bound"] = to_string(of.bound);
    json::array limits;
    for (const forecast_limit& limit : of.limits) {
        json::object one = {{"bound", to_string(limit.bound)}, {"chunks_bought", limit.bought}};
        text::set_seconds(one, "time_left_s", limit.time_left);
        limits.push_back(std::move(one));
    }
    out["limits"] = std::move(limits);
    out["days"] = text::described_value(of.days);
    return out;
}

json::object purchase_object(const purchase& of) {
    json::object out = {{"rows_per_chunk", of.rows_per_chunk},
                        {"rows", of.rows},
                        {"jobs", of.jobs},
                        {"chunks", of.chunks},
                        {"chunks_saved_by_packing", of.saved_by_packing},
                        {"chunks_saved_by_reuse", of.saved_by_reuse}};
    if (of.finish) {
        out["rows_bought"] = of.rows_bought();
        out["rows_unbought"] = of.rows - of.rows_bought();
        out["forecast"] = forecast_object(*of.finish);
    }
    return out;
}

json::object object_of_file(const std::string& file, const json::object& fields) {
    json::object out = {{"file", text::json_string(file)}};
    out.insert(fields.begin(), fields.end());
    return out;
}

json::object health_object(const health_info& of) {
    return text::described(of);
}

json::object job_object(const job& of) {
    json::object out = {{"id", text::json_string(of.id)},
                        {"status", text::json_string(of.status_text)},
                        {"chunk_count", of.chunk_count}};
    text::set(out, "receipt_id", of.receipt_id);
    text::set(out, "created_at", of.created_at);
    return out;
}

json::object results_object(const job_results& of) {
    return text::described(of);
}

json::object verification_object(const receipt_verification& of) {
    return text::described(of);
}

json::object model_object(const model_info& of) {
    return text::described(of);
}

json::object account_object(const account_info& of) {
    return text::described<text::absent::null>(of);
}

}  // namespace cli
}  // namespace vembed
