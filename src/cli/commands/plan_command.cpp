#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/commands/commands.hpp"
#include "cli/options/helper_folders.hpp"
#include "cli/options/session.hpp"
#include "cli/report/inputs_told.hpp"
#include "cli/report/json_report.hpp"
#include "cli/terminal/interrupts.hpp"
#include "cli/terminal/reading_progress.hpp"
#include "client/account/catalog.hpp"
#include "client/account/chunk_sizes.hpp"
#include "cyberian/wire/tier_end.hpp"
#include "folder/corpus_of_run.hpp"
#include "plan/corpus_plan.hpp"
#include "plan/known_use.hpp"
#include "text/iso_time.hpp"
#include "text/json_value.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

/// A text such as
/// "41.9 GB of disk space: 10,000,000 rows of 1,024 dimensions; 12 GB of it still to be written, 20 GB free in out".
std::string describe_output(const plan::corpus_plan& made, const std::string& folder) {
    if (!made.output) {
        return "its size is not known before the first job: how many dimensions a row has is not";
    }
    const folder::output_space& seen = *made.output;
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
    if (folder::file_too_large(seen)) {
        line += ", " + sizes[3] + " at most in one file (ulimit -f): embed would not start";
    }
    const std::uint64_t lacking = folder::bytes_lacking(seen);
    if (lacking == 0) {
        return seen.free && seen.left > *seen.free ? line + ", which may just be enough" : line;
    }
    return line + ", " + text::short_bytes(lacking) + " too little: embed would not start";
}

const char* name_of(plan::chunk_size_origin origin) noexcept {
    switch (origin) {
        case plan::chunk_size_origin::caller: return "option";
        case plan::chunk_size_origin::run: return "run";
        case plan::chunk_size_origin::memory: return "memory";
        case plan::chunk_size_origin::nobody: break;
    }
    return "unknown";
}

// Prints the chunk size that this machine remembers, if it is another one.
void print_other_chunk_size(console& out, const plan::corpus_plan& made) {
    const std::uint64_t before = made.remembered.is_whole ? made.remembered.rows : 0;
    if (before > 0 && before != made.chunk_size.rows) {
        out.print("            earlier jobs of this machine had " + text::counted(before, "row", "rows") + " a chunk" +
                  (before < made.chunk_size.rows ? ": --max-chunks of embed counts with that" : ""));
    }
}

void print_chunk_size(console& out, const plan::corpus_plan& made) {
    const std::string rows = text::counted(made.chunk_size.rows, "row", "rows");
    switch (made.chunk_size.origin) {
        case plan::chunk_size_origin::caller:
            out.print("chunk       " + rows + ", as --chunk-size says");
            print_other_chunk_size(out, made);
            break;
        case plan::chunk_size_origin::run:
            out.print("chunk       " + rows + ", as jobs of the run showed");
            print_other_chunk_size(out, made);
            break;
        case plan::chunk_size_origin::memory:
            out.print("chunk       " + rows + ", as earlier jobs of this machine showed");
            break;
        case plan::chunk_size_origin::nobody: break;
    }
}

void print_plan(console& out, const plan::corpus_plan& made, const std::string& folder) {
    const corpus::corpus_survey& seen = made.seen;
    out.print("rows        " + text::grouped(seen.rows));
    out.print("text        " + text::short_bytes(seen.text_bytes) + ", the longest row " +
              text::short_bytes(seen.longest_text));
    out.print("defective   " + text::grouped(seen.defective) + " rows cannot be embedded");
    for (const corpus::defective_row& row : seen.defects) {
        out.print("  " + text::printable(corpus::place_of(row)) + ": " + text::printable(row.defect));
    }
    if (seen.defective > seen.defects.size()) {
        out.print("  … and " + text::grouped(seen.defective - seen.defects.size()) + " more");
    }
    if (seen.blank > 0) {
        out.print("blank       " + text::counted(seen.blank, "blank line keeps", "blank lines keep") +
                  " a row without values (--blank-lines)");
    }
    out.print("duplicates  " + text::grouped(made.duplicates) + " rows repeat an earlier text, which is bought once");
    if (made.cached > 0) {
        out.print("cached      " + text::grouped(made.cached) + " rows are in the cache");
    }
    if (made.bought > 0) {
        out.print("bought      " + text::grouped(made.bought) + " rows by the run that was begun");
    }
    out.print("output      " + describe_output(made, folder));
    print_chunk_size(out, made);
    const plan::purchase& most = made.purchases.front();
    const std::uint64_t jobs = made.purchases.back().jobs;
    out.print("to buy      " + text::counted(most.rows, "row", "rows") + " in " + text::counted(jobs, "job", "jobs") +
              ", " + (made.chunk_size_known() || jobs == most.chunks ? std::string() : text::grouped(jobs) + " to ") +
              text::counted(most.chunks, "chunk", "chunks"));
    if (made.account) {
        out.print("account     tier " + text::printable(made.account->effective_tier) + ", " +
                  text::grouped(made.account->chunks_consumed_period) + " chunks used in this period" +
                  (made.chunks_today > 0 ? ", " + text::grouped(made.chunks_today) +
                                               " in the last 24 hours as far as this machine has counted"
                                         : std::string()));
        if (const auto ended = cyberian::trial_ended_at(*made.account, made.now)) {
            out.print("            the trial ended " + text::format_iso_time(*ended) +
                      ": where the account has no other tier the service refuses submissions (402 trial_expired)");
        }
    }
    if (most.rows == 0) {
        out.print("Nothing is to be bought.");
        return;
    }
    for (const plan::purchase& one : made.purchases) {
        for (const std::string& line :
             plan::describe_purchase(one, made.account ? &*made.account : nullptr, made.now)) {
            out.print(line);
        }
    }
    if (!made.chunk_size_known()) {
        out.print("The service tells a chunk's size with the first job it accepts; --chunk-size N says it before.");
    }
}

boost::json::object plan_object(const plan::corpus_plan& made) {
    boost::json::object out;
    out["rows"] = made.seen.rows;
    out["rows_defective"] = made.seen.defective;
    out["rows_blank"] = made.seen.blank;
    out["rows_duplicate"] = made.duplicates;
    out["rows_cached"] = made.cached;
    out["rows_bought_before"] = made.bought;
    out["rows_to_buy"] = made.purchases.front().rows;
    out["text_bytes"] = made.seen.text_bytes;
    out["longest_text_bytes"] = made.seen.longest_text;
    out["jobs"] = made.purchases.back().jobs;
    out["chunks_min"] = made.chunk_size_known() ? made.purchases.front().chunks : made.purchases.back().jobs;
    out["chunks_max"] = made.purchases.front().chunks;
    if (made.chunk_size_known()) {
        out["rows_per_chunk_from"] = name_of(made.chunk_size.origin);
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
    for (const corpus::defective_row& row : made.seen.defects) {
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
    for (const plan::purchase& one : made.purchases) {
        purchases.push_back(purchase_object(one));
    }
    out["purchases"] = std::move(purchases);
    return out;
}

/// What the service and this machine say about the account and the model.
class service_answer {
public:
    std::string base_url;  ///< Empty if there is no key to ask with.
    std::optional<account_info> account;
    std::uint64_t dimensions = 0;    ///< The model's dimensions from the catalog; 0 if they are not known.
    std::uint64_t chunks_today = 0;  ///< The chunks that this machine has counted today.
    detail::chunk_size remembered;   ///< The model's chunk size.
    std::optional<command_failure> trouble;

    service_answer() = default;
};

// A plan can do without the catalog, but not with a model that is not in the catalog.
void ask_catalog(session& open, const std::string& model, service_answer& into) {
    if (model.empty()) {
        return;
    }
    const auto catalog = open.run(open.client().get_models(open.cancellable()));
    if (!catalog) {
        return;
    }
    detail::catalog_entry entry = detail::look_up(*catalog, model);
    into.dimensions = entry.dimensions;
    if (entry.missing) {
        into.trouble = command_failure(std::move(*entry.missing));
    }
}

// The chunk size that embed would find: it is kept only if the account's use is counted for all processes.
detail::chunk_size remembered_size(const plan_arguments& arguments, const std::string& quota_folder,
                                   const std::string& base_url) {
    std::string spec_yaml;
    if (!arguments.options.spec_file.empty()) {
        auto spec = job_request::for_spec_file(arguments.options.spec_file, {});
        if (!spec) {
            return {};
        }
        spec_yaml = std::move(spec->spec_yaml);
    }
    return detail::remembered_chunk_size(detail::chunk_sizes_path(quota_folder),
                                         detail::chunk_size_key(base_url, arguments.options.model, spec_yaml));
}

service_answer ask_service(const command_context& context, const plan_arguments& arguments,
                           const std::shared_ptr<environment>& env) {
    service_answer out;
    if (!has_key(context.access)) {
        return out;
    }
    auto with = session::open(context.access, env);
    if (!with) {
        out.trouble = with.error();
        return out;
    }
    session& open = **with;
    out.base_url = open.client().base_url();
    const std::string quota_folder =
        keeping_account(context.access, arguments.share_quota, arguments.quota_folder, {}).quota_folder;
    if (!quota_folder.empty()) {
        out.remembered = remembered_size(arguments, quota_folder, out.base_url);
    }
    auto account = open.run(open.client().get_account(open.cancellable()));
    if (account) {
        out.account = std::move(*account);
        ask_catalog(open, arguments.options.model, out);
        if (!quota_folder.empty()) {
            out.chunks_today = plan::chunks_known_today(quota_folder, out.base_url, *out.account, env).value_or(0);
        }
    } else {
        out.trouble = command_failure(account.error());
    }
    return out;
}

}  // namespace

exit_code run_plan(const command_context& context, const plan_arguments& arguments) {
    if (const auto apart = check_folders(arguments.options.cache_folder, arguments.options.folder); !apart) {
        return give_up(context.out, apart.error());
    }
    std::error_code ignored;
    choose_temporary_folder(std::filesystem::is_directory(arguments.options.folder, ignored) ? arguments.options.folder
                                                                                             : "");
    const std::shared_ptr<environment> env = make_console_environment(context.out, context.output.level);
    auto inputs = folder::resolve_inputs(arguments.corpus.inputs, input_interrupt());
    if (!inputs) {
        return give_up(context.out, inputs.error());
    }
    inputs->rules = folder::rules_for(arguments.options.folder, inputs->files, arguments.corpus.format);
    if (auto told =
            tell_inputs(context.out, arguments.corpus.inputs, inputs->files, arguments.corpus.format, inputs->rules);
        !told) {
        return give_up(context.out, told.error());
    }
    const auto begun =
        plan::read_begun(arguments.options.folder, inputs->files, arguments.corpus.format, inputs->rules);
    if (!begun) {
        return give_up(context.out, begun.error());
    }
    plan::corpus_plan made;
    made.now = env->wall_now();
    const service_answer answer = ask_service(context, arguments, env);
    made.account = answer.account;
    made.chunks_today = answer.chunks_today;
    made.remembered = answer.remembered;
    made.dimensions = begun->dimensions > 0 ? begun->dimensions : answer.dimensions;
    reading_progress progress(context.out, env, inputs->files);
    plan::plan_options options = arguments.options;
    options.format = arguments.corpus.format;
    corpus::survey_options looks;
    looks.stop = interrupt_token();
    progress.watch(options.format, looks);
    auto counted_all = plan::plan_corpus(options, *inputs, *begun, answer.base_url, std::move(looks), made);
    if (!counted_all) {
        return give_up(context.out, counted_all.error());
    }
    if (!begun->note.empty()) {
        context.out.say(begun->note);
    }
    if (context.out.json()) {
        context.out.print_object("plan", plan_object(made));
    } else {
        print_plan(context.out, made, arguments.options.folder);
    }
    if (answer.trouble) {
        context.out.fail(answer.trouble->reason);
        return answer.trouble->code;
    }
    if (!made.account) {
        context.out.say(
            "no API key is set: the account's limits were not asked for" +
            std::string(arguments.options.cache_folder.empty() ? "" : ", and the cache was not looked into"));
    } else if (context.out.json()) {
        context.out.print_object("account", account_object(*made.account));
    }
    return exit_code::done;
}

}  // namespace vembed::cli
