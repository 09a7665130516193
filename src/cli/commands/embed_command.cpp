#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <vembed/run/run_folder.hpp>

#include "bulk/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/session.hpp"
#include "cli/options/spec_file.hpp"
#include "cli/options/temporary_folder.hpp"
#include "cli/report/embed_report.hpp"
#include "cli/report/inputs_told.hpp"
#include "cli/report/log_number.hpp"
#include "cli/terminal/descriptor_limit.hpp"
#include "cli/terminal/input_interrupt.hpp"
#include "cli/terminal/progress_line.hpp"
#include "cli/terminal/reading_progress.hpp"
#include "folder/layout.hpp"
#include "folder/other_folders.hpp"
#include "folder/spool.hpp"
#include "text/iso_time.hpp"
#include "text/shell_words.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

/// Shows the run's progress, and until when it waits for quota.
class run_teller {
public:
    explicit run_teller(console& out) : out_(&out) {}

    /// This is for make_console_environment. Several submissions that find the quota used up print one line together.
    bool watch(const log_record& record, const environment& env) {
        if (record.event == "chunk_size_unknown") {
            out_->warn(
                "how many rows a chunk takes is not known: the first job has {}, since --max-chunks allows no more, "
                "and may pay for a part of a chunk only; --chunk-size N, if you know it, fills the chunk",
                text::counted(number_in(record, "rows"), "row", "rows"));
            return true;
        }
        if (record.event == "chunk_size_in_doubt") {
            out_->warn(
                "--chunk-size says {} a chunk, but earlier jobs had {}: --max-chunks counts with the smaller size "
                "until a job shows another",
                text::counted(number_in(record, "said"), "row", "rows"), text::grouped(number_in(record, "counted")));
            return true;
        }
        if (record.event == "waiting_for_unanswered") {
            out_->say("waiting {} until the account's count can decide about the batches in doubt",
                      text::short_duration(std::chrono::seconds(number_in(record, "seconds"))));
            return true;
        }
        if (record.event != "waiting_for_quota") {
            return false;
        }
        const std::uint64_t seconds = number_in(record, "seconds");
        const wall_time until = env.wall_now() + std::chrono::seconds(std::min(seconds, seconds_max));
        if (until > waits_until_ + 1min) {
            waits_until_ = until;
            out_->say("the quota is used up; waiting until {} ({})", text::format_iso_time(until),
                      text::short_duration(until - env.wall_now()));
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
    static constexpr std::uint64_t seconds_max = 10ull * 365 * 86'400;

    console* out_;
    wall_time waits_until_{};
    std::optional<std::chrono::milliseconds> shown_at_;
};

/// The files of the corpus, with the folder's copy in the place of standard input.
result<std::vector<std::string>> resolve_inputs(console& out, const embed_arguments& arguments) {
    std::vector<std::string> files = arguments.corpus.inputs;
    for (std::string& file : files) {
        if (file != "-") {
            continue;
        }
        if (auto usable = folder::check_run_folders(arguments.run.cache_folder, arguments.run.folder); !usable) {
            return usable.error();
        }
        out.say("reading standard input into {}", folder::layout::in(arguments.run.folder, folder::layout::spool));
        auto spool = folder::spool_standard_input(arguments.run.folder, input_interrupt());
        if (!spool) {
            return spool.error();
        }
        file = *spool;
    }
    return files;
}

/// What `vembed status` needs to name the command that continues the run.
void note_command(const embed_arguments& arguments, const service_access& access, run_folder_options& into) {
    std::vector<std::string> paths = arguments.corpus.inputs;
    paths.insert(paths.end(), {arguments.run.folder, arguments.run.cache_folder, arguments.quota_folder,
                               arguments.pins_file, arguments.spec_file, access.api_key_file, access.ca_file});
    into.command_folder = text::folder_to_repeat_in(paths);
    std::replace(into.command.begin(), into.command.end(), std::string("-"),
                 folder::layout::in(arguments.run.folder, folder::layout::spool));
}

result<run_folder_options> options_of(const command_context& context, const embed_arguments& arguments) {
    run_folder_options options = arguments.run;
    auto spec = read_spec(arguments.spec_file);
    if (!spec) {
        return spec.error();
    }
    auto files = resolve_inputs(context.out, arguments);
    if (!files) {
        return files.error();
    }
    options.inputs = std::move(*files);
    options.format = arguments.corpus.format;
    options.bulk.spec_yaml = std::move(*spec);
    options.bulk.arrival_wait = std::chrono::seconds(arguments.arrival_wait_s);
    note_command(arguments, context.access, options);
    return options;
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

/// Shows how the corpus is read, and answers the first Ctrl-C once rows are bought. It must outlive the run.
class run_watch {
public:
    run_watch(console& out, const corpus_arguments& corpus, std::shared_ptr<environment> env, std::stop_token stop,
              run_folder_options& run)
        : out_(&out), inputs_(out, corpus, run.inputs), reading_(out, std::move(env)), stop_(std::move(stop)) {
        run.reading.on_input = [this](const corpus_input& seen) { inputs_.tell(seen); };
        reading_.watch(run.reading);
        run.reading.on_survey = [this](const corpus_survey& seen) { begin(seen); };
    }
    run_watch(const run_watch&) = delete;
    run_watch& operator=(const run_watch&) = delete;
    ~run_watch() = default;

    /// Whether the corpus was read to its end.
    [[nodiscard]] bool begun() const noexcept { return stopping_.has_value(); }

    [[nodiscard]] error as_known(error why) const { return inputs_.as_known(std::move(why)); }

private:
    void begin(const corpus_survey& seen) {
        tell_survey(*out_, seen);
        stopping_.emplace(stop_, [out = out_] {
            out->say("stopping: nothing more is bought, what is in flight is finished; Ctrl-C again ends at once");
        });
    }

    console* out_;
    inputs_teller inputs_;
    reading_progress reading_;
    std::stop_token stop_;
    std::optional<std::stop_callback<std::function<void()>>> stopping_;
};

exit_code tell_done(console& out, const embed_arguments& arguments, const run_folder_report& done, bool from_stdin) {
    if (done.cache_rows_damaged > 0) {
        out.warn("{} of the cache {} were damaged and have been bought again",
                 text::counted(done.cache_rows_damaged, "row", "rows"), arguments.run.cache_folder);
    }
    tell_end(out, done.bulk, arguments.run.folder, from_stdin);
    if (out.json()) {
        out.print_object("report", bulk::report_object(done.bulk));
    }
    return exit_code_of(done.bulk);
}

// The default number of jobs is lowered to the limit of open files. A number that the user asked for stays, and the run
// refuses it.
embed_arguments within_descriptors(console& out, embed_arguments arguments) {
    const std::uint64_t descriptors = descriptor_limit();
    const std::uint32_t possible = jobs_within(descriptors, arguments.run.bulk.jobs_in_flight);
    if (arguments.jobs_in_flight_given) {
        const std::string few = too_few_descriptors(descriptors, arguments.run.bulk.jobs_in_flight);
        if (!few.empty()) {
            out.say(few);
        }
    } else if (possible < arguments.run.bulk.jobs_in_flight) {
        out.say("this process may open {} files and connections: {} at once instead of {}", descriptors,
                text::counted(possible, "job", "jobs"), arguments.run.bulk.jobs_in_flight);
        arguments.run.bulk.jobs_in_flight = possible;
    }
    return arguments;
}

}  // namespace

exit_code run_embed(const command_context& context, const embed_arguments& asked) {
    const embed_arguments arguments = within_descriptors(context.out, asked);
    choose_temporary_folder(arguments.run.folder);
    run_teller teller(context.out);
    std::shared_ptr<environment> env;
    env = make_console_environment(context.out, context.output.level,
                                   [&teller, &env](const log_record& record) { return teller.watch(record, *env); });
    session_options wanted =
        keeping_account(context.access, arguments.share_quota, arguments.quota_folder, arguments.pins_file);
    wanted.connections_max = connections_for(arguments.run.bulk.jobs_in_flight);
    auto with = session::open(context.access, env, wanted);
    if (!with) {
        context.out.fail(with.error().reason);
        return with.error().code;
    }
    auto options = options_of(context, arguments);
    if (!options) {
        return give_up(context.out, options.error());
    }
    const run_watch watch(context.out, arguments.corpus, env, (*with)->stop(), *options);
    options->bulk.progress_interval = context.out.json() ? 1'000ms : context.out.live() ? 250ms : 30'000ms;
    options->bulk.on_progress = [&teller](const progress& state) { teller.show(state); };
    options->bulk.stop = (*with)->stop();
    const bool from_stdin = options->inputs != arguments.corpus.inputs;
    const auto done = (*with)->run(run_folder((*with)->client(), std::move(*options)));
    if (!done) {
        const error why = watch.as_known(done.error());
        const exit_code code = give_up(context.out, why);
        if (const std::string next = what_next(why, arguments.run.folder); watch.begun() && !next.empty()) {
            context.out.say(next);
        }
        return code;
    }
    return tell_done(context.out, arguments, *done, from_stdin);
}

}  // namespace vembed::cli
