#pragma once
/// What --json prints for plans and the service's values, as JSON objects. Pure.

#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vembed/core/error.hpp>
#include <vembed/cyberian/types.hpp>
#include <vembed/plan/plan_corpus.hpp>

#include "cli_parts/failure_json.hpp"

namespace vembed::cli {

boost::json::object forecast_object(const finish_forecast& of);
boost::json::object purchase_object(const purchase& of);

/// The fields of something that is in a file, after the file's name.
boost::json::object object_of_file(const std::string& file, const boost::json::object& fields);

boost::json::object health_object(const health_info& of);
boost::json::object job_object(const job& of);
boost::json::object results_object(const job_results& of);
boost::json::object verification_object(const receipt_verification& of);
boost::json::object model_object(const model_info& of);
boost::json::object account_object(const account_info& of);

}  // namespace vembed::cli
