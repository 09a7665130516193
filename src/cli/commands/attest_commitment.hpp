#pragma once
/// `vembed attest --commitment`: the rows are not at hand, their hash is.

#include <memory>
#include <string>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"

namespace vembed::cli {

/// Has the service attest that it computes, of all texts in one request, the bytes that the commitment is of. The
/// output file is that of every `vembed attest`: a claim that has an outcome there is not asked for again.
exit_code attest_commitment(const command_context& context, const attest_arguments& arguments, session& with,
                            const std::string& pins_file);

}  // namespace vembed::cli
