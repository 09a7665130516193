#pragma once
/// Writes what a job gave.

#include <string>

#include <vembed/aitbc/client.hpp>

#include "cli_aitbc/session.hpp"
#include "cli_parts/command_context.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

/// Writes a product to `file`, which appears when it is whole, or to standard output if that is empty. A result that is
/// JSON is one line of it, in which the key is masked; a file of the service is written byte for byte. The status is
/// `error` if a file was asked for and there is nothing to write to it, `usage` if the product is binary and would go
/// to a terminal or into JSON.
exit_code write_product(const command_context& context, const aitbc_session& with, const std::string& id,
                        aitbc::job_product product, const std::string& file);

}  // namespace vembed::cli
