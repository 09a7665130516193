#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <vembed/plan/plan_corpus.hpp>

#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/options/spec_file.hpp"
#include "cli/options/temporary_folder.hpp"
#include "cli/report/inputs_told.hpp"
#include "cli/report/json_report.hpp"
#include "cli/terminal/input_interrupt.hpp"
#include "cli/terminal/reading_progress.hpp"
#include "cli_parts/interrupts.hpp"
#include "corpus/survey.hpp"
#include "cyberian/wire/tier_end.hpp"
#include "folder/spool.hpp"
#include "plan/purchase_plan.hpp"
#include "text/iso_time.hpp"
#include "text/json/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

/// A text such as
/// "41.9 GB of disk space: 10,000,000 rows of 1,024 dimensions; 12 GB of it still to be written, 20 GB free in out".
std::string describe_output(const corpus_plan& made, const std::string& folder) {
    if (!made.output) {
        return "its size is not known before the first job: how many dimensions a row has is not";
    }
    const output_space& seen = *made.output;
    const std::vector<std::string> sizes = text::short_bytes_apart(
        {seen.whole, seen.left, seen.free.value_or(seen.left), seen.file_max.value_or(seen.left)});
    std::string line = sizes[0] + " of disk space: " + text::counted(made.seen.rows, "row", "rows") + " of " +
                       text::counted(made.dimensions, "dimension", "dimensions");
    if (seen.left < seen.whole) {
        line += "; " + sizes[1] + " of it still to be written";
    }
    if (seen.free) {
        line += (seen.left < seen.whole ? ", " : "; ") + sizes[2] + " free in " + text::printable(folder);
    }
    if (file_too_large(seen)) {
        line += ", " + sizes[3] + " at most in one file (ulimit -f): embed would not start";
    }
    const std::uint64_t lacking = bytes_lacking(seen);
    if (lacking == 0) {
        return seen.free && seen.left > *seen.free ? line + ", which may just be enough" : line;
    }
    return line + ", " + text::short_bytes(lacking) + " too little: embed would not start";
}

const char* name_of(chunk_size_origin origin) noexcept {
    switch (origin) {
        case chunk_size_origin::caller: return "option";
        case chunk_size_origin::run: return "run";
        case chunk_size_origin::memory: return "memory";
        case chunk_size_origin::nobody: break;
    }
    return "unknown";
}

// Prints the chunk size that this machine remembers, if it is another one.
void print_other_chunk_size(console& out, const corpus_plan& made) {
    const std::uint64_t before = made.chunk_size_remembered;
    if (before > 0 && before != made.purchases.front().rows_per_chunk) {
        out.print("            earlier jobs of this machine had {} a chunk{}", text::counted(before, "row", "rows"),
                  before < made.purchases.front().rows_per_chunk ? ": --max-chunks of embed counts with that" : "");
    }
}

void print_chunk_size(console& out, const corpus_plan& made) {
    const std::string rows = text::counted(made.purchases.front().rows_per_chunk, "row", "rows");
    switch (made.chunk_size_from) {
        case chunk_size_origin::caller:
            out.print("chunk       {}, as --chunk-size says", rows);
            print_other_chunk_size(out, made);
            break;
        case chunk_size_origin::run:
            out.print("chunk       {}, as jobs of the run showed", rows);
            print_other_chunk_size(out, made);
            break;
        case chunk_size_origin::memory:
            out.print("chunk       {}, as earlier jobs of this machine showed", rows);
            break;
        case chunk_size_origin::nobody: break;
    }
}

void print_plan(console& out, const corpus_plan& made, const std::string& folder) {
    const corpus_survey& seen = made.seen;
    out.print("rows        {}", text::grouped(seen.rows));
    out.print("text        {}, the longest row {}", text::short_bytes(seen.text_bytes),
              text::short_bytes(seen.longest_text));
    out.print("defective   {} rows cannot be embedded", text::grouped(seen.defective));
    for (const defective_row& row : seen.defects) {
        out.print("  {}: {}", text::printable(corpus::place_of(row)), text::printable(row.defect));
    }
    if (seen.defective > seen.defects.size()) {
        out.print("  … and {} more", text::grouped(seen.defective - seen.defects.size()));
    }
    if (seen.blank > 0) {
        out.print("blank       {} a row without values (--blank-lines)",
                  text::counted(seen.blank, "blank line keeps", "blank lines keep"));
    }
    out.print("duplicates  {} rows repeat an earlier text, which is bought once", text::grouped(made.duplicates));
    if (made.cached > 0) {
        out.print("cached      {} rows are in the cache", text::grouped(made.cached));
    }
    if (made.bought > 0) {
        out.print("bought      {} rows by the run that was begun", text::grouped(made.bought));
    }
    if (made.failed > 0) {
        out.print("failed      {} in the run that was begun, which does not buy them again",
                  text::counted(made.failed, "row", "rows"));
    }
    out.print("output      {}", describe_output(made, folder));
    print_chunk_size(out, made);
    const purchase& most = made.purchases.front();
    const std::uint64_t jobs = made.purchases.back().jobs;
    out.print("to buy      {} in {}, {}{}", text::counted(most.rows, "row", "rows"), text::counted(jobs, "job", "jobs"),
              made.chunk_size_known() || jobs == most.chunks ? std::string() : text::grouped(jobs) + " to ",
              text::counted(most.chunks, "chunk", "chunks"));
    if (made.account) {
        out.print("account     tier {}, {} chunks used in this period{}", text::printable(made.account->effective_tier),
                  text::grouped(made.account->chunks_consumed_period),
                  made.chunks_today > 0 ? ", " + text::grouped(made.chunks_today) +
                                              " in the last 24 hours as far as this machine has counted"
                                        : std::string());
        if (const auto ended = cyberian::trial_ended_at(*made.account, made.now)) {
            out.print(
                "            the trial ended {}: if the account has no other tier, the service refuses submissions "
                "(402 trial_expired)",
                text::format_iso_time(*ended));
        }
    }
    if (most.rows == 0) {
        out.print("Nothing is to be bought.");
        return;
    }
    for (const purchase& one : made.purchases) {
        for (const std::string& line :
             plan::describe_purchase(one, made.account ? &*made.account : nullptr, made.now)) {
            out.print(line);
        }
    }
    if (!made.chunk_size_known()) {
        out.print("The service tells a chunk's size with the first job it accepts; --chunk-size N says it before.");
    }
}

boost::json::object plan_object(const corpus_plan& made) {
    boost::json::object out;
    out["rows"] = made.seen.rows;
    out["rows_defective"] = made.seen.defective;
    out["rows_blank"] = made.seen.blank;
    out["rows_duplicate"] = made.duplicates;
    out["rows_cached"] = made.cached;
    out["rows_bought_before"] = made.bought;
    out["rows_failed_before"] = made.failed;
    out["rows_to_buy"] = made.purchases.front().rows;
    out["text_bytes"] = made.seen.text_bytes;
    out["longest_text_bytes"] = made.seen.longest_text;
    out["jobs"] = made.purchases.back().jobs;
    out["chunks_min"] = made.chunk_size_known() ? made.purchases.front().chunks : made.purchases.back().jobs;
    out["chunks_max"] = made.purchases.front().chunks;
    if (made.chunk_size_known()) {
        out["rows_per_chunk_from"] = name_of(made.chunk_size_from);
    }
    if (made.output) {
        out["dimensions"] = made.dimensions;
        out["output_bytes"] = made.output->whole;
        out["output_bytes_left"] = made.output->left;
    }
    if (made.output && made.output->free) {
        out["free_bytes"] = *made.output->free;
    }
    boost::json::array defects;
    for (const defective_row& row : made.seen.defects) {
        boost::json::object one;
        one["row"] = row.row;
        one["origin"] = text::json_string(row.origin);
        if (!row.id.empty()) {
            one["id"] = text::json_string(row.id);
        }
        one["defect"] = text::json_string(row.defect);
        defects.push_back(std::move(one));
    }
    out["defects"] = std::move(defects);
    if (made.account) {
        out["chunks_today"] = made.chunks_today;
    }
    boost::json::array purchases;
    for (const purchase& one : made.purchases) {
        purchases.push_back(purchase_object(one));
    }
    out["purchases"] = std::move(purchases);
    return out;
}

/// Asks the service if there is a key to ask with. `trouble` is why it cannot be asked.
result<corpus_plan> make_plan(const command_context& context, plan_corpus_options options,
                              const std::shared_ptr<environment>& env, std::optional<command_failure>& trouble) {
    if (!has_key(context.access)) {
        return plan_corpus(std::move(options));
    }
    auto with = session::open(context.access, env);
    if (!with) {
        trouble = with.error();
        return plan_corpus(std::move(options));
    }
    return (*with)->run(plan_corpus((*with)->client(), std::move(options), (*with)->cancellable()));
}

/// Locations in standard input name "stdin", not its copy.
void rename_origins(corpus_survey& seen, const folder::input_files& inputs) {
    for (defective_row& row : seen.defects) {
        if (inputs.spool && row.origin.starts_with(inputs.spool->path())) {
            row.origin.replace(0, inputs.spool->path().size(), "stdin");
        }
    }
}

result<plan_corpus_options> options_of(const command_context& context, const plan_arguments& arguments,
                                       const std::vector<std::string>& files) {
    plan_corpus_options options = arguments.options;
    options.inputs = files;
    options.format = arguments.corpus.format;
    options.stop = interrupt_token();
    options.quota_folder =
        keeping_account(context.access, arguments.share_quota, arguments.quota_folder, {}).quota_folder;
    auto spec = read_spec(arguments.spec_file);
    if (!spec) {
        return spec.error();
    }
    options.spec_yaml = std::move(*spec);
    return options;
}

exit_code tell_plan(const command_context& context, const plan_arguments& arguments, const corpus_plan& made,
                    const std::optional<command_failure>& trouble) {
    if (!made.note.empty()) {
        context.out.say(made.note);
    }
    if (context.out.json()) {
        context.out.print_object("plan", plan_object(made));
    } else {
        print_plan(context.out, made, arguments.options.folder);
    }
    if (trouble) {
        return give_up(context.out, *trouble);
    }
    if (!made.account) {
        context.out.say("no API key is set: the account's limits were not asked for{}",
                        arguments.options.cache_folder.empty() ? "" : ", and the cache was not looked into");
    } else if (context.out.json()) {
        context.out.print_object("account", account_object(*made.account));
    }
    return exit_code::done;
}

}  // namespace

exit_code run_plan(const command_context& context, const plan_arguments& arguments) {
    const std::string& folder = arguments.options.folder;
    std::error_code ignored;
    choose_temporary_folder(std::filesystem::is_directory(folder, ignored) ? folder : "");
    const std::shared_ptr<environment> env = make_console_environment(context.out, context.output.level);
    auto inputs = folder::resolve_inputs(arguments.corpus.inputs, input_interrupt());
    if (!inputs) {
        return give_up(context.out, inputs.error());
    }
    auto options = options_of(context, arguments, inputs->files);
    if (!options) {
        return give_up(context.out, options.error());
    }
    inputs_teller teller(context.out, arguments.corpus, inputs->files);
    reading_progress progress(context.out, env);
    options->reading.on_input = [&teller](const corpus_input& seen) { teller.tell(seen); };
    progress.watch(options->reading);
    std::optional<command_failure> trouble;
    auto made = make_plan(context, std::move(*options), env, trouble);
    if (!made) {
        return give_up(context.out, teller.as_known(made.error()));
    }
    rename_origins(made->seen, *inputs);
    if (!trouble && made->trouble) {
        trouble = command_failure(*made->trouble);
    }
    return tell_plan(context, arguments, *made, trouble);
}

}  // namespace vembed::cli
