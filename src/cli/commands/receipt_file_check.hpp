#pragma once
/// `vembed receipt check`: one receipt in a file, with no network.

#include "cli/commands/commands.hpp"

namespace vembed::cli {

/// Recomputes what can be recomputed of the receipt from what the user has beside it. A hash over what was given must
/// be checkable (6), nothing may fail (5).
exit_code check_one_receipt(const command_context& context, const receipt_arguments& arguments);

}  // namespace vembed::cli
