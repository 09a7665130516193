#pragma once
/// The report of attest_corpus() for people and as JSON, and the exit status that it means.

#include <string>

#include <boost/json/object.hpp>

#include <vembed/attest/attest_corpus.hpp>

#include "cli_parts/console.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

exit_code exit_code_of(const attest_report& report) noexcept;

/// The state on one line, for a run under way.
std::string progress_line(const attest_report& report);

boost::json::object report_object(const attest_report& report);

/// The report for people, on standard error.
void tell_end(console& out, const attest_report& report, const std::string& file);

}  // namespace vembed::cli
