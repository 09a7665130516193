#include <CLI/CLI.hpp>

#include "cli/options/command_options.hpp"
#include "cli/options/command_parts.hpp"
#include "cli/options/help_text.hpp"

namespace vembed {
namespace testing {

BOOST_DESCRIBE_ENUM(tier, trial, free, paid, expired)
BOOST_DESCRIBE_ENUM(bucket_shape, sliding_log, fixed_window, token_bucket, leaky_bucket)
BOOST_DESCRIBE_ENUM(aitbc_dialect, docs, coordinator)

}  // namespace testing

namespace cli {

BOOST_DESCRIBE_ENUM(served_api, cyberian, cyberun, aitbc)

namespace {

void add_proof_options(CLI::App& command, serve_arguments& to) {
    command
        .add_option("--receipt-scheme", to.receipt_scheme,
                    "What receipts are issued under: five parts, see below [" + name_of(receipt_scheme()) + "]")
        ->type_name("NAME");
    command.add_option("--commitment", to.commitment, "How chunks are committed to: sha256 or sha256-twice [sha256]")
        ->type_name("NAME");
    command.add_option("--spoil", to.spoil, "Spoil certain jobs' proof: KIND@N, KIND@N-M or KIND@N- (may be repeated)")
        ->type_name("KIND@N");
    command.add_flag("--spoil-in-transfer", to.service.spoiled_in_transfer,
                     "The service has the right receipt all the same, and its own check says so");
}

void add_cyberun_options(CLI::App& command, serve_arguments& to) {
    command.add_option("--store-port", to.store_port, "cyberun: TCP port of the store; 0: any free one")
        ->type_name("N")
        ->capture_default_str();
    command.add_option("--task-time", to.cyberun.task_time_ms, "cyberun: from a run to its task's end")
        ->check(CLI::Range(0, 86'400'000))
        ->type_name("MS")
        ->capture_default_str();
    command.add_option("--progress-steps", to.cyberun.progress_steps, "cyberun: progress events of a task")
        ->check(CLI::Range(1, 1000))
        ->type_name("N")
        ->capture_default_str();
    command.add_option("--link-ttl", to.cyberun.link_ttl_s, "cyberun: how long presigned URLs are valid")
        ->check(CLI::Range(1, 31'536'000))
        ->type_name("S")
        ->capture_default_str();
}

void add_aitbc_options(CLI::App& command, serve_arguments& to) {
    add_word_option(command, "--dialect", to.aitbc.dialect, "aitbc: which form of requests it takes")
        ->capture_default_str();
    command.add_option("--requests-per-minute", to.aitbc.requests_per_minute, "aitbc: in any 60 s; 0: no limit")
        ->type_name("N")
        ->capture_default_str();
    command.add_option("--requests-per-hour", to.aitbc.requests_per_hour, "aitbc: in any 3600 s; 0: no limit")
        ->type_name("N")
        ->capture_default_str();
    command.add_option("--job-time", to.aitbc.job_time_ms, "aitbc: from submission to COMPLETED")
        ->check(CLI::Range(0, 86'400'000))
        ->type_name("MS")
        ->capture_default_str();
    command.add_option("--stale-status", to.aitbc.stale_ms, "aitbc: how old a told status may be")
        ->check(CLI::Range(0, 86'400'000))
        ->type_name("MS")
        ->capture_default_str();
}

}  // namespace

void add_serve(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "serve", "Run a local stand-in for the service", into.serve);
    command->footer(serve_footer);
    serve_arguments& to = into.serve;
    add_word_option(*command, "--api", to.api, "The service that it stands in for")->capture_default_str();
    command->add_option("--port", to.port, "TCP port; 0: any free one")->type_name("N")->capture_default_str();
    to.address = "127.0.0.1";
    command->add_option("--address", to.address, "Address to listen on")->capture_default_str()->type_name("IP");
    CLI::Option* certificate =
        command->add_option("--tls-cert", to.tls_certificate_file, "Certificate chain (PEM): serve https");
    CLI::Option* key = command->add_option("--tls-key", to.tls_key_file, "The certificate's private key (PEM)");
    certificate->type_name("FILE")->needs(key);
    key->type_name("FILE")->needs(certificate);
    add_word_option(*command, "--tier", to.service.account_tier,
                    "The account's tier, with its limits; expired: the trial is over and submissions are refused (402)")
        ->capture_default_str();
    add_word_option(*command, "--bucket", to.service.bucket, "How the chunks a minute are limited")
        ->type_name("SHAPE")
        ->capture_default_str();
    command->add_option("--chunk-size", to.service.chunk_size, "Inputs of one chunk")
        ->check(CLI::Range(1, 1000))
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--settle-delay", to.service.settle_delay_ms, "From submission to SETTLED")
        ->check(CLI::Range(0, 86'400'000))
        ->type_name("MS")
        ->capture_default_str();
    command->add_option("--max-inflight", to.service.max_inflight, "Unsettled jobs at once; 0: no limit")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--faults", to.faults, "Faults to make, name=value,… or a file of such lines")
        ->type_name("SPEC");
    command->add_option("--poison", to.service.poison, "A job with this in a text ends FAILED, with that text's chunk")
        ->type_name("TEXT");
    command->add_flag("--refuse-poison", to.service.poison_is_refused, "Refuse such a job with 400 instead")
        ->needs("--poison");
    command
        ->add_option("--model-changes-after", to.service.model_changes_after_jobs,
                     "Jobs after so many are made under another specification")
        ->type_name("N");
    add_proof_options(*command, to);
    add_cyberun_options(*command, to);
    add_aitbc_options(*command, to);
    command->add_option("--seed", to.seed, "Decides the key, the ids and the faults")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--api-key-file", to.api_key_file, "Serve this key instead of one made from the seed")
        ->type_name("FILE");
    add_output_options(*command, into.output);
}

}  // namespace cli
}  // namespace vembed
