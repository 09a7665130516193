#pragma once
/// How AITBC's jobs are shown. Pure but for print_job().

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <vembed/aitbc/types.hpp>

#include "cli_parts/console.hpp"
#include "cli_parts/exit_code.hpp"

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

/// "2/5 ended | QUEUED 2 | RUNNING 1" for several jobs, "job ID: RUNNING" for one. `words` has the states of the jobs
/// that have not ended and were seen.
std::string waiting_line(const std::map<std::string, std::string>& words, std::size_t ended, std::size_t jobs);

/// The status of a command about several jobs, of which one ended with `next`: the one that asks for more comes first.
/// A refused key is first, then what the same command again may finish, then other errors.
exit_code worse_of(exit_code so_far, exit_code next) noexcept;

}  // namespace vembed::cli
