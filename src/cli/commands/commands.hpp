#pragma once
/// The program's commands. Each writes its results and messages to the console and returns the exit status.

#include "cli/options/command_line.hpp"
#include "cli_parts/command_context.hpp"
#include "cli_parts/console.hpp"
#include "cli_parts/exit_code.hpp"

namespace vembed::cli {

exit_code run_embed(const command_context& context, const embed_arguments& arguments);
exit_code run_plan(const command_context& context, const plan_arguments& arguments);
exit_code run_attest(const command_context& context, const attest_arguments& arguments);
exit_code run_verify(const command_context& context, const verify_arguments& arguments);
exit_code run_serve(const command_context& context, const serve_arguments& arguments);
exit_code run_job(const command_context& context, const job_arguments& arguments);
exit_code run_receipt(const command_context& context, const receipt_arguments& arguments);
exit_code run_status(const command_context& context, const status_arguments& arguments);
exit_code run_export(const command_context& context, const export_arguments& arguments);
exit_code run_prove(const command_context& context, const prove_arguments& arguments);
exit_code run_check_proof(const command_context& context, const check_proof_arguments& arguments);
exit_code run_health(const command_context& context);
exit_code run_models(const command_context& context);
exit_code run_account(const command_context& context);
exit_code run_keys(const command_context& context, const keys_arguments& arguments);

}  // namespace vembed::cli
