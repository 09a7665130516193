#pragma once
/// The program's values as JSON objects: what --json prints and manifest.json holds. Pure.

#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/options.hpp>
#include <vembed/core/failure.hpp>
#include <vembed/cyberian/types.hpp>

#include "cli/purchase_plan.hpp"

namespace vembed::cli {

/// A string of the service or of the user, fit for JSON: UTF-8 always, keys masked.
boost::json::string json_string(std::string_view text);

/// Ascending rows as half-open ranges [[0,1000],…].
boost::json::array rows_array(const std::vector<std::uint64_t>& rows);
boost::json::array ranges_array(const row_ranges& ranges);

boost::json::object quota_object(const quota_state& state);
boost::json::object progress_object(const progress& state);
boost::json::object report_object(const bulk_report& report);
boost::json::object forecast_object(const policy::finish_forecast& of);
boost::json::object purchase_object(const purchase& of);
boost::json::object unknown_batch_object(const unknown_batch& batch);
boost::json::array jobs_left_array(const bulk_report& report);
boost::json::object failure_object(const failure& f);
boost::json::array failed_chunks_array(const std::vector<failed_chunk>& chunks);
boost::json::object health_object(const health_info& of);
boost::json::object job_object(const job& of);
boost::json::object results_object(const job_results& of);
boost::json::object receipt_object(const receipt& of);
boost::json::object verification_object(const receipt_verification& of);
boost::json::object model_object(const model_info& of);
boost::json::object account_object(const account_info& of);

}  // namespace vembed::cli
