#pragma once
/// A bulk run's progress and report as JSON objects: what --json prints and manifest.json holds. Pure.

#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vembed/bulk/options.hpp>

namespace vembed::bulk {

boost::json::object progress_object(const progress& state);
boost::json::object report_object(const bulk_report& report);
boost::json::array jobs_left_array(const std::vector<job_left>& left_jobs);

}  // namespace vembed::bulk
