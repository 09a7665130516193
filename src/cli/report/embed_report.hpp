#pragma once
/// What `vembed embed` tells a person: about the corpus before it begins, and about the run when it has ended.

#include <string>
#include <vector>

#include <vembed/bulk/options.hpp>
#include <vembed/corpus/reading.hpp>

#include "cli_parts/console.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

/// The exit status of a run that ended with this report.
exit_code exit_code_of(const bulk_report& report) noexcept;

void tell_survey(console& out, const corpus_survey& seen);

/// If `from_stdin` is set, the advice for going on names the folder's spool instead of standard input.
void tell_end(console& out, const bulk_report& report, const std::string& folder, bool from_stdin);

/// What a run cost and what it did not have to buy. Pure.
std::vector<std::string> describe_costs(const bulk_report& report);

/// What happened to a batch that got no response. Pure.
std::string describe_unknown(const unknown_batch& batch);

}  // namespace vembed::cli
