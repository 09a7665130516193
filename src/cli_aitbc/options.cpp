#include "cli_aitbc/options.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "cli_aitbc/time_bounds.hpp"
#include "cli_parts/option_parts.hpp"

namespace vembed {
namespace aitbc {

BOOST_DESCRIBE_ENUM(dialect, docs, coordinator)
BOOST_DESCRIBE_ENUM(job_priority, low, normal, high, urgent)

}  // namespace aitbc

namespace cli {
namespace {

using verb = aitbc_arguments::verb;

constexpr std::uint64_t count_max = std::uint64_t{1} << 40;

constexpr const char* group_footer = R"(Examples:
  vembed aitbc submit --model llama3.2 --input "hello" --wait             the job's product on standard output
  vembed aitbc submit --model llama3.2 --input-file prompt.txt            prints the job's id as soon as it is accepted
  vembed aitbc wait 7c1e 90ab                                             both at once, by one list
  vembed aitbc download 7c1e -o out.json
  vembed aitbc list --status RUNNING --json
  vembed serve --api aitbc                                                a local service to try all of this with

Environment:
  AITBC_API_KEY    the key (or --api-key-file; never an argument: those are public on a machine)
  AITBC_BASE_URL   where the service is, if not https://aitbc.bubuit.net/api/v1
  AITBC_CA_FILE    certificate authorities (PEM) to trust instead of the system's

All calls, of all processes of this user, count in two windows: 60 in any minute and 1000 in any hour. A call that is over
one of them waits. `vembed --help` tells the exit status.)";

constexpr const char* submit_footer =
    R"(Prints the job's id once the service has accepted it. The job is submitted once: if the response is lost, the newest
jobs are read a minute later. If exactly one of them can be the job, its id is printed; else the submission is in doubt
(1), the message names the jobs that may be it, and nothing is sent again.
With --wait, the job's product goes to standard output or FILE when the job is completed. Ctrl-C ends the wait, not the
job (75).
Examples:
  vembed aitbc submit --model llama3.2 --input "hello" --gpu-type A100 --gpu-count 2 --timeout 600
  cat prompt.txt | vembed aitbc submit --model llama3.2 --input-file - --wait -o answer.json
  vembed aitbc submit --dialect coordinator --model llama3.2 --input "hello")";

constexpr const char* wait_footer =
    R"(Prints each job's id and how it ended, as it ends. Exit status 0 if all are completed; 1 if one failed, was cancelled or
is expired; 75 if the wait ended before: the jobs go on, and the same command waits again. An id that the service does not
know is reported after a minute, because it may not show a new job at once.
Examples:
  vembed aitbc wait 7c1e
  vembed aitbc wait 7c1e 90ab --timeout 3600 --json)";

constexpr const char* download_footer =
    R"(A result that is JSON is written as one line; another file byte for byte, and an archive is not unpacked. If the job was
told to write to s3://, that place is printed and nothing is fetched. Exit status 75: the job has not ended.
Examples:
  vembed aitbc download 7c1e -o answer.json
  vembed aitbc download 7c1e | python3 -m json.tool)";

constexpr const char* history_footer =
    R"(DATE is a day such as 2026-01-31, to its end for --to, or a time such as 2026-01-31T12:00:00Z; both are UTC.
Examples:
  vembed aitbc history --from 2026-01-01 --to 2026-01-31)";

void add_limit(CLI::App& command, const char* name, std::uint64_t& into, const char* description) {
    command.add_option(name, into, description)
        ->check(CLI::Range(std::uint64_t{0}, count_max))
        ->type_name("N")
        ->capture_default_str();
}

// Adds what all commands have.
void add_common_options(CLI::App& command, aitbc_arguments& to, service_access& access, output_options& output) {
    add_word_option(command, "--dialect", to.dialect, "The form of requests that the service takes")
        ->capture_default_str();
    command.add_flag("--bearer", to.bearer, "Send the key as `Authorization: Bearer` in place of X-Api-Key");
    command.add_option("--tenant", to.tenant, "The value of X-Tenant-ID; without it, the header is not sent")
        ->type_name("ID");
    add_limit(command, "--calls-per-minute", to.calls_per_minute, "Calls in any 60 s; 0: no limit");
    add_limit(command, "--calls-per-hour", to.calls_per_hour, "Calls in any 3600 s; 0: no limit");
    add_quota_options(command, to.quota_folder, to.share_quota);
    add_access_options(command, access, "AITBC");
    add_output_options(command, output);
}

void add_ids(CLI::App& command, aitbc_arguments& to, bool several) {
    command.add_option("ID", to.ids, several ? "The jobs' ids" : "The job's id")
        ->required()
        ->expected(1, several ? 10'000 : 1);
}

void add_file(CLI::App& command, aitbc_arguments& to) {
    command.add_option("-o,--output", to.file, "The file for the product; without it, standard output")
        ->type_name("FILE");
}

template <class Number>
void add_count(CLI::App& command, const char* name, std::optional<Number>& into, const char* description) {
    command.add_option(name, into, description)->check(CLI::Range(1, 65'536))->type_name("N");
}

void add_submit_options(CLI::App& command, aitbc_arguments& to) {
    aitbc::job_request& request = to.request;
    command.add_option("--model", request.model, "The model to run")->required()->type_name("ID");
    CLI::App* input = command.add_option_group("the input");
    input->add_option("--input", request.input, "A text, or a file's id; JSON for several inputs")->type_name("TEXT");
    input->add_option("--input-file", to.input_file, "Or a file that holds the text; - is standard input")
        ->type_name("FILE");
    input->require_option(1);
    command.add_option("--gpu-type", request.gpu_type, "The GPU that the job needs [any]")->type_name("TYPE");
    add_count(command, "--gpu-count", request.gpu_count, "GPUs that the job needs (docs only)");
    add_count(command, "--min-vram-gb", request.min_vram_gb, "GPU memory that the job needs, in GB");
    add_word_option(command, "--priority", request.priority, "The job's priority (docs only)")->capture_default_str();
    command
        .add_option_function<std::uint32_t>(
            "--timeout", [&request](std::uint32_t s) { request.timeout = std::chrono::seconds(s); },
            "The job's time at the service, from its submission on [the service's own]")
        ->check(CLI::Range(1, 2'592'000))
        ->type_name("S");
    command.add_option("--output-format", request.output_format, "The form of the product (docs only)")
        ->type_name("NAME")
        ->capture_default_str();
    command
        .add_option("--destination", request.output_destination,
                    "Where the service puts the product: local, or s3://bucket/path (docs only)")
        ->type_name("PLACE")
        ->capture_default_str();
    CLI::Option* wait = command.add_flag("--wait", to.wait, "Wait until the job has ended, then write its product");
    add_file(command, to);
    command.get_option("--output")->needs(wait);
}

void add_bound(CLI::App& command, const char* name, std::optional<wall_time>& into, bound which,
               const char* description) {
    const auto take = [&into, which](const std::string& text) { into = read_bound(text, which); };
    const auto check = [which](const std::string& text) {
        return read_bound(text, which) ? std::string() : "a date is 2026-01-31 or 2026-01-31T12:00:00Z";
    };
    command.add_option_function<std::string>(name, take, description)->check(check)->type_name("DATE");
}

}  // namespace

void add_aitbc(CLI::App& command, aitbc_arguments& to, service_access& access, output_options& output) {
    command.require_subcommand(1);
    command.footer(group_footer);
    const auto add = [&command, &to](const char* name, const char* description, verb value) {
        CLI::App* made = command.add_subcommand(name, description);
        made->callback([value, &to] { to.what = value; });
        return made;
    };
    CLI::App* submit = add("submit", "Submit one job; prints its id", verb::submit);
    submit->footer(submit_footer);
    add_submit_options(*submit, to);
    CLI::App* status = add("status", "A job's state", verb::status);
    add_ids(*status, to, false);
    CLI::App* list = add("list", "The newest jobs", verb::list);
    list->add_option("--status", to.state, "Only jobs in this state, for example RUNNING")->type_name("STATE");
    list->add_option("--limit", to.jobs_max, "At most so many jobs; each page of 100 is one call")
        ->check(CLI::Range(1, 5000))
        ->type_name("N")
        ->capture_default_str();
    CLI::App* wait = add("wait", "Wait until jobs have ended", verb::wait);
    wait->footer(wait_footer);
    add_ids(*wait, to, true);
    wait->add_option("--timeout", to.timeout_s, "Give up after this many seconds (75); 0: never")
        ->check(CLI::Range(0, 31'536'000))
        ->type_name("S")
        ->capture_default_str();
    CLI::App* cancel = add("cancel", "Cancel a job, and say what became of it", verb::cancel);
    add_ids(*cancel, to, false);
    CLI::App* download = add("download", "Write a completed job's product", verb::download);
    download->footer(download_footer);
    add_ids(*download, to, false);
    add_file(*download, to);
    CLI::App* history = add("history", "Jobs of a time, newest first", verb::history);
    history->footer(history_footer);
    add_bound(*history, "--from", to.from, bound::from, "The earliest time of a job's submission");
    add_bound(*history, "--to", to.to, bound::to, "The latest time of a job's submission");
    for (CLI::App* one : {submit, status, list, wait, cancel, download, history}) {
        add_common_options(*one, to, access, output);
    }
}

}  // namespace cli
}  // namespace vembed
