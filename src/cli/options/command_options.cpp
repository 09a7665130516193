#include "cli/options/command_options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <vembed/bulk/options.hpp>

#include "cli/options/command_parts.hpp"
#include "cli/options/help_text.hpp"
#include "cli_aitbc/options.hpp"
#include "cli_parts/option_parts.hpp"

namespace vembed {

BOOST_DESCRIBE_ENUM(corpus_format, automatic, lines, jsonl, csv, tsv)
BOOST_DESCRIBE_ENUM(blank_lines, keep, fail, skip)
BOOST_DESCRIBE_ENUM(verify_level, none, hash, receipt, offline)
BOOST_DESCRIBE_ENUM(unknown_policy, park, resubmit)
BOOST_DESCRIBE_ENUM(error_policy, stop, skip)
BOOST_DESCRIBE_ENUM(export_format, fbin, safetensors)

namespace cli {
namespace {

constexpr std::string_view cyberian = "CYBERIAN";
constexpr std::uint64_t count_max = std::uint64_t{1} << 40;

void add_format_options(CLI::App& app, corpus_arguments& into) {
    add_word_option(app, "--format", into.format.format,
                    "What the inputs are; automatic: by their names, and plain lines only if they look so")
        ->capture_default_str();
    app.add_option("--text-field", into.format.text_field, "JSONL field or CSV column of the text")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--id-field", into.format.id_field, "JSONL field or CSV column of the row's id")->type_name("NAME");
    app.add_flag("--tsv-quotes", into.format.tsv_quotes, "TSV has quoted fields as CSV does");
    add_word_option(app, "--blank-lines", into.format.blank,
                    "Blank lines of plain lines: keep a row without values for each, fail them, or skip them "
                    "(ids.jsonl then has each row's line)")
        ->capture_default_str();
}

void add_corpus_options(CLI::App& app, corpus_arguments& into, bool required = true) {
    app.add_option("IN", into.inputs, "Files of the corpus, in order; - is standard input")->required(required);
    add_format_options(app, into);
}

void add_rows_per_job(CLI::App& app, std::uint32_t& rows) {
    app.add_option("--rows-per-job", rows, "Rows of one job, at most; the account's limits may lower it")
        ->check(CLI::Range(1, 1000))
        ->type_name("N")
        ->capture_default_str();
}

void add_model_options(CLI::App& command, std::string& model, std::string& spec_file) {
    CLI::Option* option = command.add_option(
        "--model", model, "A model of the catalog, see `vembed models` [" + std::string(default_model) + "]");
    option->type_name("ID");
    command.add_option("--spec", spec_file, "Older form: an execution specification (YAML) instead of a model")
        ->type_name("FILE")
        ->excludes(option);
}

void add_cache_option(CLI::App& command, std::string& folder) {
    command.add_option("--cache", folder, "A folder of rows bought before, by any run; it is made if there is none")
        ->type_name("DIR");
}

void add_pins_option(CLI::App& command, std::string& file) {
    command
        .add_option("--pins", file,
                    "Where it is kept which schemes the account's receipts follow "
                    "[pins.json in $XDG_STATE_HOME/vembed or ~/.local/state/vembed; none for a plain http service]")
        ->type_name("FILE");
}

// This is for commands that only read the pins.
void add_known_pins_option(CLI::App& command, std::string& file) {
    command
        .add_option("--pins", file,
                    "What is known of accounts' schemes [$XDG_STATE_HOME/vembed/pins.json or "
                    "~/.local/state/vembed/pins.json]")
        ->type_name("FILE");
}

void add_embed(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "embed", "Embed a corpus into a folder; run again to go on", into.embed);
    command->footer(embed_footer);
    embed_arguments& to = into.embed;
    bulk_options& bulk = to.run.bulk;
    add_corpus_options(*command, to.corpus);
    command->add_option("-o,--output", to.run.folder, "The output folder")->required()->type_name("DIR");
    add_model_options(*command, bulk.model, to.spec_file);
    add_rows_per_job(*command, bulk.rows_per_job);
    command->add_option("--jobs-in-flight", bulk.jobs_in_flight, "Jobs under way at once, at most")
        ->check(CLI::Range(std::uint32_t{1}, bulk_options::jobs_in_flight_max))
        ->each([&to](const std::string&) { to.jobs_in_flight_given = true; })
        ->type_name("N")
        ->capture_default_str();
    add_word_option(*command, "--verify", bulk.verify, "What must hold before rows are written")->capture_default_str();
    add_word_option(*command, "--on-unknown", bulk.on_unknown, "What to do with batches in doubt: a response was lost")
        ->capture_default_str();
    command->add_option("--max-extra-chunks", bulk.max_extra_chunks, "What --on-unknown resubmit may cost")
        ->check(CLI::Range(std::uint64_t{0}, count_max))
        ->type_name("N");
    command
        ->add_option("--max-narrowing-chunks", bulk.max_narrowing_chunks,
                     "What finding the rows that make jobs fail, or that a firewall refuses, may cost")
        ->check(CLI::Range(std::uint64_t{0}, count_max))
        ->type_name("N")
        ->capture_default_str();
    add_word_option(*command, "--on-error", bulk.on_error, "What to do at a row that cannot be embedded")
        ->capture_default_str();
    command
        ->add_option("--max-chunks", bulk.max_chunks, "Use no more chunks than this, all processes of the run together")
        ->check(CLI::Range(std::uint64_t{1}, count_max))
        ->type_name("N");
    command->add_option("--chunk-size", bulk.rows_per_chunk, "Rows of one chunk, if you know it")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    command->add_flag("--sole-use", bulk.sole_use,
                      "Nobody else uses the account: its count of chunks decides about batches in doubt");
    command
        ->add_option("--arrival-wait", to.arrival_wait_s,
                     "Seconds that a submission without a response may take to show in the account's count")
        ->check(CLI::Range(1, 86'400))
        ->type_name("N")
        ->capture_default_str();
    command->add_flag("--wait-unanswered", bulk.wait_unanswered,
                      "Wait at the end until the account's count can decide about batches in doubt");
    add_cache_option(*command, to.run.cache_folder);
    add_off_flag(*command, "--no-dedup", bulk.deduplicate, "Buy every row, even if an earlier one has the same text");
    command->add_flag("--wait-quota", bulk.wait_for_quota,
                      "If the day's or the period's quota is used up, wait until it comes back");
    add_quota_options(*command, to.quota_folder, to.share_quota);
    add_pins_option(*command, to.pins_file);
    add_access_options(*command, into.access, cyberian);
    add_output_options(*command, into.output);
}

void add_plan(CLI::App& app, parsed_options& into) {
    CLI::App* command =
        add_command(app, into, "plan", "Say what a run would take, and what is wrong with the corpus", into.plan);
    command->footer(plan_footer);
    add_corpus_options(*command, into.plan.corpus);
    add_rows_per_job(*command, into.plan.options.rows_per_job);
    add_model_options(*command, into.plan.options.model, into.plan.spec_file);
    add_cache_option(*command, into.plan.options.cache_folder);
    command->add_option("--chunk-size", into.plan.options.rows_per_chunk, "Rows of one chunk, if you know it")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    command->add_option("-o,--output", into.plan.options.folder, "The output folder: of a run that was begun, or to be")
        ->type_name("DIR");
    add_quota_options(*command, into.plan.quota_folder, into.plan.share_quota);
    add_access_options(*command, into.access, cyberian);
    add_output_options(*command, into.output);
}

void add_attest(CLI::App& app, parsed_options& into) {
    CLI::App* command =
        add_command(app, into, "attest", "Have embeddings of your own verified by the service", into.attest);
    command->footer(attest_footer);
    attest_arguments& to = into.attest;
    add_corpus_options(*command, to.corpus);
    CLI::App* rows = command->add_option_group("the rows");
    rows->add_option("--npy", to.options.npy_file, "The rows: float32, one for each text, in the texts' order")
        ->type_name("FILE");
    rows->add_option("--commitment", to.commitment,
                     "Or the SHA-256 of their bytes alone: all texts (at most 1000) go in one request")
        ->type_name("HEX");
    rows->require_option(1);
    command->add_option("-o,--output", to.options.output_file, "Where the receipts go, a line for each request")
        ->required()
        ->type_name("FILE");
    add_model_options(*command, to.options.model, to.spec_file);
    command
        ->add_option("--chunk-size", to.options.rows_per_chunk,
                     "Rows of one chunk, if you know it: requests of one chunk")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    command->add_option("--jobs", to.options.requests_in_flight, "Requests under way at once, at most")
        ->check(CLI::Range(1, 64))
        ->type_name("N")
        ->capture_default_str();
    command->add_flag("--retry-unknown", to.options.retry_unknown,
                      "Ask again if a response was lost, though that may be charged a second time");
    add_quota_options(*command, to.quota_folder, to.share_quota);
    add_pins_option(*command, to.pins_file);
    add_access_options(*command, into.access, cyberian);
    add_output_options(*command, into.output);
}

void add_verify(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "verify", "Check an output folder against its receipts", into.verify);
    command->footer(verify_footer);
    command->add_option("DIR", into.verify.folder, "The output folder of `vembed embed`")->required();
    command->add_option("--require", into.verify.required, "Checks that must be verified (names below), or all; else 6")
        ->type_name("NAME,...")
        ->allow_extra_args(false)
        ->delimiter(',');
    add_known_pins_option(*command, into.verify.pins_file);
    command->add_flag("--learn-pins", into.verify.learn_pins,
                      "Keep there what these receipts follow, if nothing failed");
    add_off_flag(*command, "--skip-rows", into.verify.row_hashes,
                 "Leave out the rows' own hashes: half the time. Rows of chunks are hashed still");
    command->add_flag("--online", into.verify.online, "Also ask the service for each receipt and its own check of it");
    add_access_options(*command, into.access, cyberian);
    add_output_options(*command, into.output);
}

void add_prove(CLI::App& app, parsed_options& into) {
    CLI::App* command =
        add_command(app, into, "prove", "Write a small file with which anybody can check one row", into.prove);
    command->footer(prove_footer);
    prove_arguments& to = into.prove;
    command->add_option("DIR", to.folder, "The output folder of a finished `vembed embed`")->required();
    CLI::App* which = command->add_option_group("which row");
    which->add_option("--row", to.row, "The row's number, from 0")
        ->check(CLI::Range(std::uint64_t{0}, count_max))
        ->type_name("N");
    which->add_option("--id", to.id, "Or its id, if the corpus gave ids")->type_name("ID");
    which->require_option(1);
    command->add_flag("--platform", to.platform,
                      "Also part two: the row's chunk, and its way to the roots of the job's receipt");
    add_known_pins_option(*command, to.pins_file);
    command->add_option("-o,--output", to.file, "Where to; without it, standard output")->type_name("FILE");
    add_output_options(*command, into.output);
}

void add_check_proof(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "check-proof",
                                    "Check files that `vembed prove` wrote, with nothing else", into.check_proof);
    command->footer(check_proof_footer);
    check_proof_arguments& to = into.check_proof;
    command->add_option("FILE", to.files, "Row proofs")->required();
    const auto take_root = [&to](const std::string& hex) {
        to.root = digest_from_hex(hex);
        return to.root ? std::string() : "a row root is 64 hex digits, as in \"row_root\" of manifest.json";
    };
    CLI::Option* root = command->add_option("--root", "The row root as the folder's owner published it");
    root->type_name("HEX")->check(take_root);
    command->add_option("--rows", to.rows, "The number of rows published with it")
        ->check(CLI::Range(std::uint64_t{0}, count_max))
        ->type_name("N")
        ->needs(root);
    command->add_option("--text-file", to.text_file, "A file that holds the row's text and nothing else")
        ->type_name("FILE");
    command
        ->add_option("--pins", to.pins_file,
                     "What is known of accounts' schemes; with --account alone, $XDG_STATE_HOME/vembed/pins.json or "
                     "~/.local/state/vembed/pins.json")
        ->type_name("FILE");
    command
        ->add_option("--account", to.account,
                     "Whose schemes the receipts follow: an account in that file [the only one in it]")
        ->type_name("ID");
    add_output_options(*command, into.output);
}

template <class Verb>
void add_verb(CLI::App& parent, parsed_options& into, const char* name, const char* description, Verb value, Verb& what,
              std::string* id, const char* id_description) {
    CLI::App* verb = parent.add_subcommand(name, description);
    if (id != nullptr) {
        verb->add_option("ID", *id, id_description)->required();
    }
    add_access_options(*verb, into.access, cyberian);
    add_output_options(*verb, into.output);
    verb->callback([value, &what] { what = value; });
}

void add_job_submit(CLI::App& parent, parsed_options& into) {
    job_arguments& to = into.job;
    add_verb(parent, into, "submit", "Submit 1 to 1000 texts as one job; prints its id", job_arguments::verb::submit,
             to.what, static_cast<std::string*>(nullptr), "");
    CLI::App* command = parent.get_subcommand("submit");
    command->footer(job_submit_footer);
    add_corpus_options(*command, to.corpus, false);
    command->add_option("--text", to.texts, "A text, in place of files (may be repeated)")
        ->type_name("TEXT")
        ->allow_extra_args(false)
        ->excludes("IN");
    add_model_options(*command, to.model, to.spec_file);
    add_quota_options(*command, to.quota_folder, to.share_quota);
}

void add_job(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "job", "Submit one job, or look at one", into.job);
    command->require_subcommand(1);
    job_arguments& to = into.job;
    using verb = job_arguments::verb;
    add_job_submit(*command, into);
    const char* id = "The job's id";
    add_verb(*command, into, "get", "Its state", verb::get, to.what, &to.id, id);
    add_verb(*command, into, "wait", "Wait until it has ended; 75 if it has not in time", verb::wait, to.what, &to.id,
             id);
    command->get_subcommand("wait")
        ->add_option("--timeout", to.timeout_s, "Give up after this many seconds; 0: never")
        ->check(CLI::Range(0, 31'536'000))
        ->type_name("S")
        ->capture_default_str();
    add_verb(*command, into, "results", "Its chunks and their commitments", verb::results, to.what, &to.id, id);
    add_verb(*command, into, "output", "Its embeddings as a .npy file (checked against the commitments)", verb::output,
             to.what, &to.id, id);
    command->get_subcommand("output")
        ->add_option("-o,--output", to.file, "Where to; without it, standard output")
        ->type_name("FILE");
}

void add_receipt_check(CLI::App& parent, parsed_options& into) {
    receipt_arguments& to = into.receipt;
    CLI::App* command = parent.add_subcommand("check", "Check a receipt in a file, with no network");
    command->callback([&to] { to.what = receipt_arguments::verb::check; });
    command->footer(receipt_check_footer);
    command->add_option("FILE", to.file, "The receipt, as `vembed receipt get ID` prints it, also with --json")
        ->required();
    command->add_option("--results", to.results_file, "The job's results: the response to GET /jobs/ID/results")
        ->type_name("FILE");
    command->add_option("--npy", to.npy_file, "The job's rows: float32, as `vembed job output` writes them")
        ->type_name("FILE");
    command->add_option("--texts", to.corpus.inputs, "The job's texts, in their order: a file as embed takes them")
        ->type_name("IN")
        ->allow_extra_args(false);
    add_format_options(*command, to.corpus);
    command->add_option("--require", to.required, "Checks that must be verified (names below); else 6")
        ->type_name("NAME,...")
        ->allow_extra_args(false)
        ->delimiter(',');
    command->add_option("--pins", to.pins_file, "What is known of accounts' schemes")->type_name("FILE");
    command->add_option("--account", to.account, "Whose schemes it follows: an account in that file [the only one]")
        ->type_name("ID");
    add_output_options(*command, into.output);
}

void add_receipt(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "receipt", "Look at one receipt", into.receipt);
    command->require_subcommand(1);
    receipt_arguments& to = into.receipt;
    using verb = receipt_arguments::verb;
    const char* id = "The receipt's id";
    add_receipt_check(*command, into);
    add_verb(*command, into, "get", "The receipt as the service has it", verb::get, to.what, &to.id, id);
    add_verb(*command, into, "verify", "The service's own check of it", verb::verify, to.what, &to.id, id);
}

void add_status(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "status", "Say how far a run is, also while it runs", into.status);
    command->add_option("DIR", into.status.folder, "The output folder of `vembed embed`")->required();
    add_output_options(*command, into.output);
}

void add_export(CLI::App& app, parsed_options& into) {
    CLI::App* command =
        add_command(app, into, "export", "Copy a finished result into another program's format", into.exported);
    command->footer(export_footer);
    export_arguments& to = into.exported;
    command->add_option("DIR", to.folder, "The output folder of `vembed embed`")->required();
    add_word_option(*command, "--format", to.options.format, "Of the file")->required();
    command->add_option("-o,--output", to.options.file, "The file; it appears when it is whole")
        ->required()
        ->type_name("FILE");
    command->add_flag("--skip-failed", to.options.skip_failed,
                      "Leave out rows that failed; FILE.ids.jsonl has the ids of the others, line by line");
    add_output_options(*command, into.output);
}

void add_keys(CLI::App& app, parsed_options& into) {
    CLI::App* command = add_command(app, into, "keys", "Rotate or revoke API keys", into.keys);
    command->require_subcommand(1);
    keys_arguments& to = into.keys;
    using verb = keys_arguments::verb;
    add_verb(*command, into, "rotate", "Make a new key; it is shown this once. The old one stays valid", verb::rotate,
             to.what, static_cast<std::string*>(nullptr), "");
    command->get_subcommand("rotate")
        ->add_option("--save", to.save_file, "Write the new key to this new file (mode 0600) instead of showing it")
        ->type_name("FILE");
    add_verb(*command, into, "revoke", "End a key, by its id (see `vembed account`)", verb::revoke, to.what, &to.key_id,
             "The key's id, not the key");
}

void add_catalog_and_account(CLI::App& app, parsed_options& into) {
    for (CLI::App* command :
         {add_command(app, into, "health", "Whether the service is well; needs no key", into.health),
          add_command(app, into, "models", "The catalog of models", into.models),
          add_command(app, into, "account", "The account's tier, limits, use and keys", into.account)}) {
        add_access_options(*command, into.access, cyberian);
        add_output_options(*command, into.output);
    }
}

// An empty name of a file, folder or field comes from a script's variable that was not set; nobody means it. All
// options are checked at once, so that none is forgotten.
void refuse_empty_names(CLI::App& command) {
    constexpr std::array<std::string_view, 4> kinds = {"FILE", "DIR", "NAME", "IN"};
    const auto refuse = [](const std::string& word) { return word.empty() ? "the name is empty" : std::string(); };
    for (CLI::Option* option : command.get_options()) {
        const std::string kind = option->get_positional() ? option->get_name(true) : option->get_type_name();
        if (std::ranges::find(kinds, kind) != kinds.end()) {
            option->check(refuse);
        }
    }
    for (CLI::App* part : command.get_subcommands([](CLI::App*) { return true; })) {
        refuse_empty_names(*part);
    }
}

}  // namespace

void add_commands(CLI::App& app, parsed_options& into) {
    app.footer(command_footer);  // A command without a footer of its own takes over this one.
    add_embed(app, into);
    add_plan(app, into);
    add_attest(app, into);
    add_verify(app, into);
    add_prove(app, into);
    add_check_proof(app, into);
    add_status(app, into);
    add_export(app, into);
    add_serve(app, into);
    add_job(app, into);
    add_receipt(app, into);
    add_catalog_and_account(app, into);
    add_keys(app, into);
    add_aitbc(*add_command(app, into, "aitbc", aitbc_description, into.aitbc), into.aitbc, into.access, into.output);
    app.footer(program_footer);
    refuse_empty_names(app);
}

}  // namespace cli
}  // namespace vembed
