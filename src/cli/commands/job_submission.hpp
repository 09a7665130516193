#pragma once
/// `vembed job submit`.

#include "cli/commands/commands.hpp"

namespace vembed::cli {

/// Submits one job and prints its id as soon as it is known. A submission without a response is reported as in doubt
/// and is not sent again.
exit_code submit_one_job(const command_context& context, const job_arguments& arguments);

}  // namespace vembed::cli
