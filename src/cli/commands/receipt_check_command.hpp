#pragma once
/// `vembed receipt check`: checks one receipt in a file, with no network.

#include "cli/commands/commands.hpp"

namespace vembed::cli {

/// Recomputes as much of the receipt as the user's other files allow. A hash over something that was given must be
/// checkable (6), and nothing may fail (5).
exit_code check_one_receipt(const command_context& context, const receipt_arguments& arguments);

}  // namespace vembed::cli
