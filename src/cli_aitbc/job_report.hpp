#pragma once
/// How AITBC's jobs are shown. Pure but for print_job().

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/aitbc/types.hpp>

#include "cli_parts/console.hpp"

namespace vembed::cli {

/// What --json prints for a job.
boost::json::object job_object(const aitbc::job& of);

/// What --json prints for a submission: its job and the service's estimates.
boost::json::object submitted_object(const aitbc::submitted_job& of);

/// A person's view of a job, a line for each value that is known.
std::vector<std::string> job_lines(const aitbc::job& of);

/// Prints a job for a person, or as an object.
void print_job(console& out, const aitbc::job& of);

/// The head and a line for each job, with tabs between the columns.
std::vector<std::string> job_table(const std::vector<aitbc::job>& jobs);

}  // namespace vembed::cli
