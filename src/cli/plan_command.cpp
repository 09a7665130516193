#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/corpus_input.hpp"
#include "cli/json_report.hpp"
#include "cli/session.hpp"
#include "cli/text_format.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t shown_max = 1000;

/// The corpus' files, standard input as a temporary one.
class plan_inputs {
public:
    std::vector<std::string> files;
    std::unique_ptr<temporary_spool> spool;

    plan_inputs() = default;
};

result<plan_inputs> resolve(const corpus_arguments& corpus) {
    plan_inputs inputs;
    inputs.files = corpus.inputs;
    const auto standard_input = std::find(inputs.files.begin(), inputs.files.end(), "-");
    if (standard_input != inputs.files.end()) {
        auto spool = temporary_spool::make();
        if (!spool) {
            return spool.error();
        }
        *standard_input = (*spool)->path();
        inputs.spool = std::move(*spool);
    }
    return inputs;
}

/// Places in standard input are called so, not by the temporary file's name.
void rename_origins(corpus_survey& seen, const plan_inputs& inputs) {
    if (!inputs.spool) {
        return;
    }
    const std::string& path = inputs.spool->path();
    for (defective_row& row : seen.defects) {
        if (row.origin.starts_with(path)) {
            row.origin.replace(0, path.size(), "stdin");
        }
    }
}

boost::json::object plan_object(const corpus_survey& seen) {
    boost::json::object out;
    out["rows"] = seen.rows;
    out["rows_defective"] = seen.defective;
    out["rows_duplicate"] = seen.duplicates.value_or(0);
    out["text_bytes"] = seen.text_bytes;
    out["longest_text_bytes"] = seen.longest_text;
    out["jobs"] = seen.jobs;
    boost::json::array defects;
    for (const defective_row& row : seen.defects) {
        boost::json::object one;
        one["row"] = row.row;
        one["origin"] = json_string(row.origin);
        one["defect"] = json_string(row.defect);
        defects.push_back(std::move(one));
    }
    out["defects"] = std::move(defects);
    return out;
}

void print_corpus(console& out, const corpus_survey& seen) {
    out.print("rows        " + grouped(seen.rows));
    out.print("text        " + short_bytes(seen.text_bytes) + ", the longest row " + short_bytes(seen.longest_text));
    out.print("duplicates  " + grouped(seen.duplicates.value_or(0)) + " rows repeat an earlier text (each is charged)");
    out.print("jobs        " + grouped(seen.jobs));
    out.print("defective   " + grouped(seen.defective) + " rows cannot be embedded");
    for (const defective_row& row : seen.defects) {
        out.print("  " + printable(row.origin) + ": " + printable(row.defect));
    }
    if (seen.defective > seen.defects.size()) {
        out.print("  … and " + grouped(seen.defective - seen.defects.size()) + " more");
    }
}

std::string share(std::uint64_t chunks, std::uint64_t of) {
    if (of == 0) {
        return "of a quota of 0";
    }
    const double percent = 100.0 * static_cast<double>(chunks) / static_cast<double>(of);
    return (percent < 0.05 ? std::string("under 0.1") : short_rate(percent)) + "% of " + grouped(of);
}

/// What the rows would take of the account's limits. A chunk's size is not told before the first job is accepted, so
/// the two ends are given.
void print_account(console& out, const account_info& account, std::uint64_t rows) {
    const account_limits& limits = account.limits;
    out.print("account     tier " + printable(account.effective_tier) + ", " + grouped(account.chunks_consumed_period) +
              " chunks used in this period");
    constexpr std::uint64_t chunk_size_usual = 100;
    for (const std::uint64_t size : {std::uint64_t{1}, chunk_size_usual}) {
        const std::uint64_t chunks = (rows + size - 1) / size;
        out.print("  at " + std::to_string(size) + (size == 1 ? " row" : " rows") + " a chunk: " + grouped(chunks) +
                  " chunks");
        if (limits.chunks_per_period) {
            const std::uint64_t left =
                *limits.chunks_per_period - std::min(account.chunks_consumed_period, *limits.chunks_per_period);
            out.print("    " + share(chunks, left) + " left in this period");
        }
        if (limits.chunks_per_day) {
            out.print("    " + share(chunks, *limits.chunks_per_day) + " a day");
        }
        if (const std::uint64_t a_minute = limits.chunks_per_minute.value_or(0); a_minute > 0) {
            const std::uint64_t minutes = chunks / a_minute;
            const std::string time = minutes == 0 ? "under a minute" : short_duration(std::chrono::minutes(minutes));
            out.print("    " + time + " at " + grouped(a_minute) + " chunks a minute");
        }
    }
    out.print("  The service tells a chunk's size with the first job it accepts.");
}

exit_code add_account(const command_context& context, std::uint64_t rows) {
    auto with = session::open(context.access, make_console_environment(context.out, context.output.level));
    if (!with) {
        context.out.fail(with.error().reason);
        return with.error().code;
    }
    session& open = **with;
    const auto account = open.run(open.client().account(open.cancellable()));
    if (!account) {
        return give_up(context.out, account.error());
    }
    if (context.out.json()) {
        context.out.print_object("account", account_object(*account));
    } else {
        print_account(context.out, *account, rows);
    }
    return exit_code::done;
}

}  // namespace

exit_code run_plan(const command_context& context, const plan_arguments& arguments) {
    auto inputs = resolve(arguments.corpus);
    if (!inputs) {
        return give_up(context.out, inputs.error());
    }
    auto source = open_files(inputs->files, arguments.corpus.format);
    if (!source) {
        return give_up(context.out, source.error());
    }
    survey_options options;
    options.rows_per_job = arguments.rows_per_job;
    options.count_duplicates = true;
    options.shown_max = shown_max;
    auto seen = survey(**source, options);
    if (!seen) {
        return give_up(context.out, seen.error());
    }
    rename_origins(*seen, *inputs);
    if (context.out.json()) {
        context.out.print_object("plan", plan_object(*seen));
    } else {
        print_corpus(context.out, *seen);
    }
    if (!has_key(context.access)) {
        context.out.say("no API key is set: the account's limits were not asked for");
        return exit_code::done;
    }
    return add_account(context, seen->rows - seen->defective);
}

}  // namespace vembed::cli
