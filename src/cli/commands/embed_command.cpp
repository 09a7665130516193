#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>

#include <vembed/bulk/sink.hpp>
#include <vembed/folder/npy_sink.hpp>
#include <vembed/journal/journal.hpp>
#include <vembed/reuse/row_cache.hpp>
#include <vembed/verify/sha256.hpp>

#include "bulk/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/helper_folders.hpp"
#include "cli/options/session.hpp"
#include "cli/report/embed_report.hpp"
#include "cli/report/inputs_told.hpp"
#include "cli/report/json_report.hpp"
#include "cli/terminal/descriptor_limit.hpp"
#include "cli/terminal/interrupts.hpp"
#include "cli/terminal/progress_line.hpp"
#include "cli/terminal/reading_progress.hpp"
#include "corpus/records/reading_rules.hpp"
#include "corpus/records/record_reader.hpp"
#include "corpus/survey.hpp"
#include "folder/corpus_of_run.hpp"
#include "folder/layout.hpp"
#include "folder/manifest.hpp"
#include "folder/run_binding.hpp"
#include "folder/run_file.hpp"
#include "folder/spool.hpp"
#include "journal/journal_takeover.hpp"
#include "text/iso_time.hpp"
#include "text/shell_words.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

/// Everything that is known about a run before anything is sent.
class prepared_run {
public:
    std::vector<std::string> files;  ///< The inputs; standard input is replaced by its spool.
    bool from_stdin = false;
    std::uint32_t rules = corpus::latest_reading_rules;  ///< The rules by which the files are read.
    std::string spec_yaml;
    std::string corpus;  ///< The fingerprint of the corpus.
    corpus::corpus_survey seen;

    prepared_run() = default;
};

result<std::vector<std::string>> resolve_inputs(console& out, const embed_arguments& arguments) {
    std::vector<std::string> files = arguments.corpus.inputs;
    for (std::string& file : files) {
        if (file != "-") {
            continue;
        }
        out.say("reading standard input into " + folder::layout::in(arguments.folder, folder::layout::spool));
        auto spool = folder::spool_standard_input(arguments.folder, input_interrupt());
        if (!spool) {
            return spool.error();
        }
        file = *spool;
    }
    return files;
}

// Runs before anything is bought or written. Files that only their run's journal can continue, found without that
// journal, belong to somebody else or are a finished result.
result<void> check_folder(const std::string& folder) {
    std::error_code ignored;
    if (std::filesystem::exists(folder::layout::in(folder, folder::layout::journal), ignored)) {
        return {};
    }
    std::vector<std::string_view> names(folder::layout::result_files.begin(), folder::layout::result_files.end());
    names.push_back(folder::layout::embeddings_partial);
    names.push_back(folder::layout::manifest);
    for (const std::string_view name : names) {
        const std::string path = folder::layout::in(folder, name);
        if (std::filesystem::exists(path, ignored)) {
            return error(errc::folder_mismatch, path +
                                                    " is there without the journal.sqlite of the run that it "
                                                    "belongs to; choose another folder, or move the file away");
        }
    }
    return {};
}

result<prepared_run> prepare(console& out, const embed_arguments& arguments, std::shared_ptr<environment> env) {
    prepared_run run;
    if (!arguments.spec_file.empty()) {
        auto spec = job_request::for_spec_file(arguments.spec_file, {});
        if (!spec) {
            return spec.error();
        }
        run.spec_yaml = std::move(spec->spec_yaml);
        if (run.spec_yaml.empty()) {
            return error(errc::invalid_argument, arguments.spec_file + " is empty: that is no specification");
        }
    }
    auto files = resolve_inputs(out, arguments);
    if (!files) {
        return files.error();
    }
    run.from_stdin = *files != arguments.corpus.inputs;
    run.files = std::move(*files);
    run.rules = folder::rules_for(arguments.folder, run.files, arguments.corpus.format);
    if (auto told = tell_inputs(out, arguments.corpus.inputs, run.files, arguments.corpus.format, run.rules); !told) {
        return told.error();
    }
    // The whole corpus is read once before anything is paid for, so that damage in its last file is known now.
    reading_progress progress(out, std::move(env), run.files);
    corpus::survey_options options;
    options.stop = interrupt_token();
    file_source_options format = arguments.corpus.format;
    progress.watch(format, options);
    auto source = corpus::open_files_by(run.rules, run.files, std::move(format));
    if (!source) {
        return source.error();
    }
    auto seen = corpus::survey(**source, options);
    if (!seen) {
        return seen.error();
    }
    if (seen->rows == 0) {
        return error(errc::bad_input, "the corpus has no rows: is it the right file?");
    }
    run.seen = std::move(*seen);
    auto corpus = folder::fingerprint_for(arguments.folder, run.rules, run.files, arguments.corpus.format);
    if (!corpus) {
        return corpus.error();
    }
    run.corpus = std::move(*corpus);
    return run;
}

folder::run_description describe_run(const embed_arguments& arguments, const prepared_run& run,
                                     const std::string& service) {
    folder::run_description about;
    about.identity.service = service;
    about.identity.model = arguments.model;
    about.identity.spec_sha256 = run.spec_yaml.empty() ? std::string() : to_hex(sha256_of(run.spec_yaml));
    about.identity.corpus = run.corpus;
    about.inputs = run.files;
    about.format = corpus::format_name(arguments.corpus.format.format);
    about.text_field = arguments.corpus.format.text_field;
    about.id_field = arguments.corpus.format.id_field;
    about.verify = arguments.verify;
    return about;
}

/// Shows the run's progress, and until when it waits for quota.
class run_teller {
public:
    explicit run_teller(console& out) : out_(&out) {}

    /// This is for make_console_environment. Several submissions that find the quota used up print one line together.
    bool watch(const log_record& record, const environment& env) {
        if (record.event == "chunk_size_unknown") {
            out_->warn("how many rows a chunk takes is not known: the first job has " +
                       text::counted(number_in(record, "rows"), "row", "rows") +
                       ", since --max-chunks allows no more, and may pay for a part of a chunk only; --chunk-size N, "
                       "where you know it, fills the chunk");
            return true;
        }
        if (record.event == "chunk_size_in_doubt") {
            out_->warn("--chunk-size says " + text::counted(number_in(record, "said"), "row", "rows") +
                       " a chunk, but earlier jobs had " + text::grouped(number_in(record, "counted")) +
                       ": --max-chunks counts with the smaller size until a job shows another");
            return true;
        }
        if (record.event == "waiting_for_unanswered") {
            out_->say("waiting " + text::short_duration(std::chrono::seconds(number_in(record, "seconds"))) +
                      " until the account's count can decide about the batches that were never answered");
            return true;
        }
        if (record.event != "waiting_for_quota") {
            return false;
        }
        const std::uint64_t seconds = number_in(record, "seconds");
        const wall_time until = env.wall_now() + std::chrono::seconds(std::min(seconds, seconds_max));
        if (until > waits_until_ + 1min) {
            waits_until_ = until;
            out_->say("the quota is used up; waiting until " + text::format_iso_time(until) + " (" +
                      text::short_duration(until - env.wall_now()) + ")");
        }
        return true;
    }

    void show(const progress& state) {
        if (out_->json()) {
            out_->print_object("progress", bulk::progress_object(state));
            return;
        }
        // In a log file, a day of waiting is not worth a line every half minute.
        const bool waits = !state.limited_by.empty() && state.jobs_in_flight == 0;
        if (!out_->live() && waits && shown_at_ && state.elapsed - *shown_at_ < 1h) {
            return;
        }
        shown_at_ = state.elapsed;
        out_->show_progress(progress_line(state, out_->columns()));
    }

private:
    static std::uint64_t number_in(const log_record& record, std::string_view name) {
        std::uint64_t number = 0;
        for (const log_field& field : record.fields) {
            if (field.name == name) {
                std::from_chars(field.value.data(), field.value.data() + field.value.size(), number);
            }
        }
        return number;
    }

    static constexpr std::uint64_t seconds_max = 10ull * 365 * 86'400;

    console* out_;
    wall_time waits_until_{};
    std::optional<std::chrono::milliseconds> shown_at_;
};

bulk_options options_of(const embed_arguments& arguments, const prepared_run& run, const folder::run_description& about,
                        console& out, run_teller& teller) {
    bulk_options options;
    options.model = arguments.model;
    options.spec_yaml = run.spec_yaml;
    options.rows_per_job = arguments.rows_per_job;
    options.jobs_in_flight = arguments.jobs_in_flight;
    options.verify = arguments.verify;
    options.on_unknown = arguments.on_unknown;
    options.max_extra_chunks = arguments.max_extra_chunks;
    options.max_narrowing_chunks = arguments.max_narrowing_chunks;
    options.on_error = arguments.on_error;
    options.max_chunks = arguments.max_chunks;
    options.rows_per_chunk = arguments.rows_per_chunk;
    options.sole_use = arguments.sole_use;
    options.arrival_wait = std::chrono::seconds(arguments.arrival_wait_s);
    options.wait_unanswered = arguments.wait_unanswered;
    options.deduplicate = arguments.deduplicate;
    options.wait_for_quota = arguments.wait_for_quota;
    options.identity = about.identity;
    options.progress_interval = out.json() ? 1'000ms : out.live() ? 250ms : 30'000ms;
    options.on_progress = [&teller](const progress& state) { teller.show(state); };
    return options;
}

/// A run that found everything done saw no receipt, so the pins that an earlier run learned stay.
account_pins pins_of_folder(const std::string& folder, const bulk_report& report) {
    const auto before = folder::read_manifest(folder);
    const bool of_account = before && *before && (*before)->account_id == report.account_id;
    return of_account ? narrowed((*before)->pins, report.pins) : report.pins;
}

exit_code finish(const command_context& context, const embed_arguments& arguments, const prepared_run& run,
                 folder::run_description about, bulk_report report, environment& env) {
    about.ended = env.wall_now();
    if (report.dimensions == 0) {
        // A run that found everything done saw no row; the file has the dimensions.
        const auto before = folder::embedding_file::open(arguments.folder);
        report.dimensions = before ? before->dimensions() : 0;
    }
    about.account_id = report.account_id;
    about.pins = pins_of_folder(arguments.folder, report);
    if (auto written = folder::write_manifest(arguments.folder, about, report); !written) {
        return give_up(context.out, written.error());
    }
    tell_end(context.out, report, arguments.folder, run.from_stdin);
    if (context.out.json()) {
        context.out.print_object("report", bulk::report_object(report));
    }
    return exit_code_of(report);
}

/// Tells `vembed status` what the run is. A folder that belongs to another run, or is in use, is not changed: the run
/// itself will be refused with what differs.
result<void> note_run(const embed_arguments& arguments, const service_access& access, const prepared_run& run,
                      const run_identity& identity, environment& env) {
    const std::string path = folder::layout::in(arguments.folder, folder::layout::journal);
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        const auto before = read_journal(path);
        const bool is_ours = before && (before->identity == identity ||
                                        journal::may_be_taken_over(before->identity, identity, before->run) ||
                                        folder::takes_any_corpus(arguments.folder, before->run));
        if (!is_ours || before->in_use) {
            return {};
        }
    }
    folder::run_file note;
    note.rows = run.seen.rows;
    note.rows_defective = run.seen.defective;
    note.started_at = env.wall_now();
    note.command = arguments.command;
    std::vector<std::string> paths = arguments.corpus.inputs;
    paths.insert(paths.end(), {arguments.folder, arguments.cache_folder, arguments.quota_folder, arguments.pins_file,
                               arguments.spec_file, access.api_key_file, access.ca_file});
    note.folder_to_run_in = text::folder_to_repeat_in(paths);
    std::replace(note.command.begin(), note.command.end(), std::string("-"),
                 folder::layout::in(arguments.folder, folder::layout::spool));
    return folder::write_run_file(arguments.folder, note);
}

// The advice for a run that could not be carried out; empty if the error itself gives it.
std::string what_next(const error& why, const std::string& folder) {
    switch (why.kind) {
        case errc::folder_mismatch:
        case errc::journal_damaged:
        case errc::model_changed: return "";
        case errc::invalid_argument:
        case errc::invalid_request:
        case errc::unknown_model:
            return folder + " keeps what was bought; as long as nothing was, a corrected command may use it too";
        default:
            return "once the cause is dealt with, run the same command again: " + folder + " keeps what was bought";
    }
}

exit_code submit(const command_context& context, const embed_arguments& arguments, const prepared_run& run,
                 session& with, environment& env, run_teller& teller) {
    auto files = corpus::open_files_by(run.rules, run.files, arguments.corpus.format);
    if (!files) {
        return give_up(context.out, files.error());
    }
    corpus::counted_source source(std::move(*files), run.seen.rows);
    npy_sink sink(arguments.folder);
    const auto journal = folder::make_folder_journal(arguments.folder);
    const folder::run_description about = describe_run(arguments, run, with.client().base_url());
    if (auto noted = note_run(arguments, context.access, run, about.identity, env); !noted) {
        return give_up(context.out, noted.error());
    }
    std::unique_ptr<row_cache> cache;
    if (!arguments.cache_folder.empty()) {
        auto opened = row_cache::open(arguments.cache_folder);
        if (!opened) {
            return give_up(context.out, opened.error());
        }
        cache = std::move(*opened);
    }
    bulk_options options = options_of(arguments, run, about, context.out, teller);
    options.cache = cache.get();
    options.journal = journal.get();
    options.stop = with.stop();
    const std::stop_callback told(with.stop(), [&context] {
        context.out.say("stopping: nothing more is bought, what is in flight is finished; Ctrl-C again ends at once");
    });
    const result<bulk_report> report = with.run(with.client().embed_corpus(source, sink, std::move(options)));
    if (!report) {
        const exit_code code = give_up(context.out, report.error());
        if (const std::string next = what_next(report.error(), arguments.folder); !next.empty()) {
            context.out.say(next);
        }
        return code;
    }
    if (cache && cache->damaged() > 0) {
        context.out.warn(text::counted(cache->damaged(), "row", "rows") + " of the cache " + arguments.cache_folder +
                         " were damaged and have been bought again");
    }
    return finish(context, arguments, run, about, *report, env);
}

// The default number of jobs is lowered to the limit of open files. A number that the user asked for stays, and the run
// refuses it.
embed_arguments within_descriptors(console& out, embed_arguments arguments) {
    const std::uint64_t descriptors = descriptor_limit();
    const std::uint32_t possible = jobs_within(descriptors, arguments.jobs_in_flight);
    if (arguments.jobs_in_flight_given) {
        const std::string few = too_few_descriptors(descriptors, arguments.jobs_in_flight);
        if (!few.empty()) {
            out.say(few);
        }
    } else if (possible < arguments.jobs_in_flight) {
        out.say("this process may open " + std::to_string(descriptors) +
                " files and connections: " + text::counted(possible, "job", "jobs") + " at once instead of " +
                std::to_string(arguments.jobs_in_flight));
        arguments.jobs_in_flight = possible;
    }
    return arguments;
}

}  // namespace

exit_code run_embed(const command_context& context, const embed_arguments& asked) {
    const embed_arguments arguments = within_descriptors(context.out, asked);
    if (const auto apart = check_folders(arguments.cache_folder, arguments.folder); !apart) {
        return give_up(context.out, apart.error());
    }
    choose_temporary_folder(arguments.folder);
    run_teller teller(context.out);
    std::shared_ptr<environment> env;
    env = make_console_environment(context.out, context.output.level,
                                   [&teller, &env](const log_record& record) { return teller.watch(record, *env); });
    session_options options =
        keeping_account(context.access, arguments.share_quota, arguments.quota_folder, arguments.pins_file);
    options.connections_max = connections_for(arguments.jobs_in_flight);
    auto with = session::open(context.access, env, options);
    if (!with) {
        context.out.fail(with.error().reason);
        return with.error().code;
    }
    if (const auto usable = check_folder(arguments.folder); !usable) {
        return give_up(context.out, usable.error());
    }
    const result<prepared_run> run = prepare(context.out, arguments, env);
    if (!run) {
        return give_up(context.out, run.error());
    }
    tell_survey(context.out, run->seen);
    return submit(context, arguments, *run, **with, *env, teller);
}

}  // namespace vembed::cli
