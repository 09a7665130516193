#pragma once
/// A bulk run's progress and report as JSON objects: what --json prints and manifest.json holds. Pure.

#include <boost/json/object.hpp>

#include <vembed/bulk/options.hpp>

namespace vembed::bulk {

boost::json::object progress_object(const progress& state);
boost::json::object report_object(const bulk_report& report);

}  // namespace vembed::bulk
