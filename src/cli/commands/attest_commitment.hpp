#pragma once
/// `vembed attest --commitment`: the user does not have the rows, only their hash.

#include <memory>
#include <string>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"

namespace vembed::cli {

/// Asks the service to attest, with all texts in one request, that it computes the bytes that the commitment is over.
/// The output file is the same as for every `vembed attest`: a claim that has an outcome there is not asked for again.
exit_code attest_commitment(const command_context& context, const attest_arguments& arguments, session& with,
                            const std::string& pins_file);

}  // namespace vembed::cli
