#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <vembed/bulk/journal.hpp>
#include <vembed/bulk/sink.hpp>
#include <vembed/verify/sha256.hpp>

#include "cli/commands.hpp"
#include "cli/corpus_input.hpp"
#include "cli/json_report.hpp"
#include "cli/manifest.hpp"
#include "cli/session.hpp"
#include "cli/text_format.hpp"
#include "storage/file_ops.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::uintmax_t spec_bytes_max = 1u << 20;
constexpr std::size_t shown_max = 10;

/// Everything about a run that is known before anything is sent.
class prepared_run {
public:
    std::vector<std::string> files;  ///< The inputs, standard input replaced by its spool.
    bool from_stdin = false;
    std::string spec_yaml;
    std::string corpus;  ///< The fingerprint.
    corpus_survey seen;

    prepared_run() = default;
};

const char* format_name(corpus_format format) {
    switch (format) {
        case corpus_format::automatic: return "automatic";
        case corpus_format::lines: return "lines";
        case corpus_format::jsonl: return "jsonl";
        case corpus_format::csv: return "csv";
        case corpus_format::tsv: return "tsv";
    }
    return "automatic";
}

result<std::string> read_spec(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) {
        return failure(errc::io, "cannot read the specification " + path + ": " + error.message());
    }
    if (size == 0 || size > spec_bytes_max) {
        return failure(errc::invalid_argument,
                       path + " is " + (size == 0 ? "empty" : "over 1 MiB") + ": that is no execution specification");
    }
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

result<std::vector<std::string>> resolve_inputs(console& out, const embed_arguments& arguments) {
    std::vector<std::string> files = arguments.corpus.inputs;
    for (std::string& file : files) {
        if (file != "-") {
            continue;
        }
        out.say("reading standard input into " + arguments.folder + "/stdin.spool");
        auto spool = spool_standard_input(arguments.folder);
        if (!spool) {
            return spool.error();
        }
        file = *spool;
    }
    return files;
}

void tell_survey(console& out, const corpus_survey& seen) {
    out.say(grouped(seen.rows) + " rows, " + short_bytes(seen.text_bytes) + " of text");
    if (seen.defective == 0) {
        return;
    }
    out.say(grouped(seen.defective) + (seen.defective == 1 ? " row" : " rows") +
            " cannot be embedded and will be left out:");
    for (std::size_t i = 0; i < seen.defects.size() && i < shown_max; ++i) {
        out.say("  " + seen.defects[i].origin + ": " + seen.defects[i].defect);
    }
    if (seen.defective > shown_max) {
        out.say("  … and " + grouped(seen.defective - shown_max) + " more, see failed.jsonl at the end");
    }
}

result<prepared_run> prepare(console& out, const embed_arguments& arguments) {
    prepared_run run;
    if (!arguments.spec_file.empty()) {
        auto spec = read_spec(arguments.spec_file);
        if (!spec) {
            return spec.error();
        }
        run.spec_yaml = std::move(*spec);
    }
    auto files = resolve_inputs(out, arguments);
    if (!files) {
        return files.error();
    }
    run.from_stdin = *files != arguments.corpus.inputs;
    run.files = std::move(*files);
    // The whole corpus is read once before anything is paid for: damage in its last file is known now.
    auto source = open_files(run.files, arguments.corpus.format);
    if (!source) {
        return source.error();
    }
    survey_options look;
    look.rows_per_job = arguments.rows_per_job;
    auto seen = survey(**source, look);
    if (!seen) {
        return seen.error();
    }
    if (seen->rows == 0) {
        return failure(errc::bad_input, "the corpus has no rows: is it the right file?");
    }
    run.seen = std::move(*seen);
    auto corpus = fingerprint_files(run.files, arguments.corpus.format);
    if (!corpus) {
        return corpus.error();
    }
    run.corpus = std::move(*corpus);
    return run;
}

run_description describe_run(const embed_arguments& arguments, const prepared_run& run, const std::string& service) {
    run_description about;
    about.identity.service = service;
    about.identity.model = arguments.model;
    about.identity.spec_sha256 = run.spec_yaml.empty() ? std::string() : to_hex(sha256_of(run.spec_yaml));
    about.identity.corpus = run.corpus;
    about.inputs = run.files;
    about.format = format_name(arguments.corpus.format.format);
    about.text_field = arguments.corpus.format.text_field;
    about.id_field = arguments.corpus.format.id_field;
    about.verify = arguments.verify;
    return about;
}

bulk_options options_of(const embed_arguments& arguments, const prepared_run& run, const run_description& about,
                        console& out) {
    bulk_options options;
    options.model = arguments.model;
    options.spec_yaml = run.spec_yaml;
    options.rows_per_job = arguments.rows_per_job;
    options.jobs_in_flight = arguments.jobs_in_flight;
    options.verify = arguments.verify;
    options.on_unknown = arguments.on_unknown;
    options.max_extra_chunks = arguments.max_extra_chunks;
    options.on_error = arguments.on_error;
    options.max_chunks = arguments.max_chunks;
    options.identity = about.identity;
    if (out.json()) {
        options.progress_interval = 1s;
        options.on_progress = [&out](const progress& state) { out.print_object("progress", progress_object(state)); };
    } else {
        options.progress_interval = out.live() ? 250ms : 30'000ms;
        options.on_progress = [&out](const progress& state) { out.show_progress(progress_line(state)); };
    }
    return options;
}

/// The first rows of failed.jsonl with their places in the corpus.
std::vector<std::string> failed_rows_of(const std::string& folder) {
    std::vector<std::string> shown;
    std::ifstream in(folder + "/failed.jsonl", std::ios::binary);
    for (std::string line; shown.size() < shown_max && std::getline(in, line);) {
        boost::system::error_code bad;
        const boost::json::value parsed = boost::json::parse(line, bad);
        if (bad || !parsed.is_object()) {
            continue;
        }
        const auto member = [&parsed](const char* name) -> std::string {
            const boost::json::value* value = parsed.get_object().if_contains(name);
            return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
        };
        const boost::json::value* row = parsed.get_object().if_contains("row");
        std::string place = member("origin");
        if (place.empty() && row != nullptr && row->is_int64()) {
            place = "row " + std::to_string(row->get_int64());
        }
        const std::string message = member("message");
        // Most messages begin with the place themselves.
        place = message.starts_with(place) ? message : place.append(": ").append(message);
        shown.push_back(std::move(place));
    }
    return shown;
}

void tell_unknown(console& out, const bulk_report& report, const std::string& folder) {
    constexpr std::size_t named_max = 20;
    for (std::size_t i = 0; i < report.unknown.size() && i < named_max; ++i) {
        const unknown_batch& batch = report.unknown[i];
        out.say("  batch " + std::to_string(batch.batch) + ", " + describe_rows(batch.rows) + ": " + batch.reason +
                "; up to " + std::to_string(batch.chunks_estimated) + " chunks may have been charged" +
                (batch.resubmitted ? "; sent again" : ""));
    }
    if (report.unknown.size() > named_max) {
        out.say("  … and " + grouped(report.unknown.size() - named_max) + " more batches, all in " + folder +
                "/manifest.json");
    }
}

void tell_counts(console& out, const bulk_report& report) {
    std::string line = grouped(report.rows_done) + " of " + grouped(report.rows_total) + " rows embedded";
    if (report.rows_done_before > 0) {
        line += " (" + grouped(report.rows_done_before) + " of them before)";
    }
    const std::uint64_t now = report.rows_done - std::min(report.rows_done, report.rows_done_before);
    line += " in " + short_duration(report.elapsed);
    if (now > 0 && report.elapsed > 0ms) {
        line += ", " + short_rate(1000.0 * static_cast<double>(now) / static_cast<double>(report.elapsed.count())) +
                " rows/s";
    }
    out.say(line);
    line = grouped(report.jobs) + (report.jobs == 1 ? " job, " : " jobs, ") + grouped(report.chunks_used) +
           " chunks charged";
    if (report.extra_chunks > 0) {
        line += ", " + grouped(report.extra_chunks) + " of them for sending again";
    }
    if (report.chunks_used > 0) {
        line += "; the service re-executed a sample of " + grouped(report.chunks_sampled) +
                ", the others only have matching hashes";
    }
    out.say(line);
}

void tell_end(console& out, const bulk_report& report, const embed_arguments& arguments, const prepared_run& run) {
    tell_counts(out, report);
    if (report.rows_failed > 0) {
        if (report.jobs_unverified > 0) {
            out.say(grouped(report.jobs_unverified) + (report.jobs_unverified == 1 ? " job" : " jobs") +
                    " did not verify: their rows were withheld and count as failed");
        }
        out.say(grouped(report.rows_failed) + (report.rows_failed == 1 ? " row" : " rows") + " failed, see " +
                arguments.folder + "/failed.jsonl:");
        for (const std::string& row : failed_rows_of(arguments.folder)) {
            out.say("  " + row);
        }
    }
    if (!report.unknown.empty()) {
        out.say(grouped(report.unknown.size()) + (report.unknown.size() == 1 ? " batch was" : " batches were") +
                " never answered:");
        tell_unknown(out, report, arguments.folder);
    }
    if (report.reason == stop_reason::complete) {
        out.say("the result is " + arguments.folder + "/embeddings.npy; check it with: vembed verify " +
                arguments.folder);
        return;
    }
    out.say("unfinished (" + std::string(to_string(report.reason)) + ")" +
            (report.message.empty() ? "" : ": " + report.message));
    std::string next = "what was bought is kept in " + arguments.folder + ". To go on";
    if (report.resume_after) {
        next += ", in " + short_duration(*report.resume_after) + " or later,";
    }
    next += run.from_stdin ? " run the same command again with " + arguments.folder + "/stdin.spool in place of -"
                           : " run the same command again";
    if (report.reason == stop_reason::parked_batches) {
        std::uint64_t chunks = 0;
        for (const unknown_batch& batch : report.unknown) {
            chunks += batch.resubmitted ? 0 : batch.chunks_estimated;
        }
        next += "; to send those batches again, add --on-unknown resubmit --max-extra-chunks " +
                std::to_string(std::max<std::uint64_t>(chunks, 1));
    }
    out.say(next);
}

exit_code finish(const command_context& context, const embed_arguments& arguments, const prepared_run& run,
                 run_description about, bulk_report report, environment& env) {
    about.ended = env.wall_now();
    if (report.dimensions == 0) {
        // A run that found everything done has seen no row; the file knows.
        const auto before = embedding_file::open(arguments.folder);
        report.dimensions = before ? before->dimensions() : 0;
    }
    if (auto written = write_manifest(arguments.folder, about, report); !written) {
        return give_up(context.out, written.error());
    }
    tell_end(context.out, report, arguments, run);
    if (context.out.json()) {
        context.out.print_object("report", report_object(report));
    }
    return exit_code_of(report);
}

exit_code submit(const command_context& context, const embed_arguments& arguments, const prepared_run& run,
                 session& with, environment& env) {
    auto files = open_files(run.files, arguments.corpus.format);
    if (!files) {
        return give_up(context.out, files.error());
    }
    counted_source source(std::move(*files), run.seen.rows);
    npy_sink sink(arguments.folder);
    const auto journal = make_sqlite_journal(arguments.folder + "/journal.sqlite");
    const run_description about = describe_run(arguments, run, with.client().base_url());
    bulk_options options = options_of(arguments, run, about, context.out);
    options.journal = journal.get();
    options.stop = with.stop();
    const result<bulk_report> report = with.run(with.client().embed_corpus(source, sink, std::move(options)));
    if (!report) {
        const exit_code code = give_up(context.out, report.error());
        if (code != exit_code::other_run) {
            context.out.say("what was bought is kept in " + arguments.folder +
                            "; once the cause is dealt with, run the same command again");
        }
        return code;
    }
    return finish(context, arguments, run, about, *report, env);
}

}  // namespace

exit_code run_embed(const command_context& context, const embed_arguments& arguments) {
    const std::shared_ptr<environment> env = make_console_environment(context.out, context.output.level);
    auto with = session::open(context.access, env);
    if (!with) {
        context.out.fail(with.error().reason);
        return with.error().code;
    }
    const result<prepared_run> run = prepare(context.out, arguments);
    if (!run) {
        return give_up(context.out, run.error());
    }
    tell_survey(context.out, run->seen);
    return submit(context, arguments, *run, **with, *env);
}

}  // namespace vembed::cli
