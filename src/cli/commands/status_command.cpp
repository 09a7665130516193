#include <algorithm>
#include <filesystem>
#include <optional>

#include <vembed/journal/journal.hpp>

#include "cli/commands/commands.hpp"
#include "cli/report/json_report.hpp"
#include "core/row_ranges.hpp"
#include "folder/layout.hpp"
#include "folder/manifest.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/run_file.hpp"
#include "plan/corpus_plan.hpp"
#include "policy/packing/packing.hpp"
#include "text/json_fields.hpp"
#include "text/json_value.hpp"
#include "text/shell_words.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t named_max = 20;

/// Everything that is known about a folder's run.
class folder_status {
public:
    journal_reading journal;
    std::optional<folder::manifest> recorded;
    std::optional<folder::run_file> asked;
    std::uint64_t blank_lines_noted = 0;  ///< The number of blank lines in failed.jsonl of an unfinished run.

    folder_status() = default;

    [[nodiscard]] bool complete() const { return recorded && recorded->complete && !journal.in_use; }

    [[nodiscard]] const char* state() const {
        return journal.in_use ? "running" : complete() ? "complete" : "unfinished";
    }

    [[nodiscard]] std::optional<std::uint64_t> rows_total() const {
        if (complete()) {
            return recorded->rows;
        }
        return asked ? std::optional(asked->rows) : std::nullopt;
    }

    /// The journal counts blank rows among the failed rows.
    [[nodiscard]] std::uint64_t rows_blank() const {
        return complete() ? recorded->rows_blank : std::min(blank_lines_noted, journal.run.rows_failed);
    }

    [[nodiscard]] std::uint64_t rows_failed() const {
        return complete() ? recorded->rows_failed : journal.run.rows_failed - rows_blank();
    }

    /// If the run is unfinished, this counts only rows that were bought; the journal has no record of copies.
    [[nodiscard]] std::uint64_t rows_done() const {
        return complete() ? recorded->rows - recorded->rows_failed - recorded->rows_blank : journal.run.rows_done;
    }

    [[nodiscard]] std::uint64_t rows_left() const {
        const std::uint64_t ended = rows_done() + rows_failed() + rows_blank();
        return rows_total().value_or(ended) - std::min(rows_total().value_or(ended), ended);
    }

    [[nodiscard]] std::vector<const journalled_batch*> batches(batch_state state) const {
        std::vector<const journalled_batch*> out;
        for (const journalled_batch& one : journal.run.batches) {
            if (one.state == state) {
                out.push_back(&one);
            }
        }
        return out;
    }

    /// A command to paste into a shell; empty if it is not known. If the run could buy nothing more, the command has
    /// the --max-chunks that it needs.
    [[nodiscard]] std::string command() const {
        return asked ? folder::command_of(*asked, chunks_needed()) : std::string();
    }

    [[nodiscard]] std::optional<std::uint64_t> max_chunks() const {
        return asked ? folder::max_chunks_of(*asked) : std::nullopt;
    }

    /// What the run counts against --max-chunks: chunks charged, and chunks of submissions that may have been charged.
    [[nodiscard]] std::uint64_t chunks_spoken_for() const {
        std::uint64_t chunks = journal.run.chunks_charged;
        for (const journalled_batch* batch : unanswered()) {
            chunks += batch->chunks;
        }
        return chunks;
    }

    /// The --max-chunks with which every row that is left could be bought, if the present one allows no more chunk and
    /// there are rows to buy. Copies cost nothing, so less may do. The end of a run computes it the same way.
    [[nodiscard]] std::optional<std::uint64_t> chunks_needed() const {
        const std::uint64_t spoken_for = chunks_spoken_for();
        const auto allowed = max_chunks();
        if (journal.in_use || !allowed || spoken_for < *allowed) {
            return std::nullopt;
        }
        std::uint64_t sent = 0;
        for (const auto& some : {batches(batch_state::accepted), unanswered()}) {
            for (const journalled_batch* batch : some) {
                sent += core::rows_in(batch->rows);
            }
        }
        const std::uint64_t left = rows_left() - std::min(rows_left(), sent);
        const std::uint64_t size = std::max<std::uint64_t>(journal.run.facts.rows_per_chunk, 1);
        return left == 0 ? std::nullopt : std::optional(spoken_for + policy::chunks_of(left, size));
    }

    /// Accepted jobs that the last process stopped asking for and that are still open.
    [[nodiscard]] std::vector<folder::left_job> jobs_left() const {
        std::vector<folder::left_job> out;
        const auto accepted = batches(batch_state::accepted);
        for (const folder::left_job& left : recorded ? recorded->jobs_left : std::vector<folder::left_job>()) {
            const auto same = [&left](const journalled_batch* one) {
                return one->batch == left.batch && one->job_id == left.job_id;
            };
            if (std::ranges::any_of(accepted, same)) {
                out.push_back(left);
            }
        }
        return out;
    }

    /// Submissions that will get no response any more. While a process runs, those that it is sending are not included.
    [[nodiscard]] std::vector<const journalled_batch*> unanswered() const {
        std::vector<const journalled_batch*> out = batches(batch_state::unknown);
        if (!journal.in_use) {
            const auto sent = batches(batch_state::intent);
            out.insert(out.end(), sent.begin(), sent.end());
        }
        return out;
    }
};

/// Lowers the estimates that were noted before the chunk size was known. The end of a run computes them the same way.
void correct_first_guesses(prior_run& run) {
    for (journalled_batch& one : run.batches) {
        if (one.state == batch_state::unknown || one.state == batch_state::intent) {
            one.chunks = std::min(one.chunks, policy::chunks_of(core::rows_in(one.rows), run.facts.rows_per_chunk));
        }
    }
}

boost::json::array batches_array(const std::vector<const journalled_batch*>& batches) {
    boost::json::array out;
    for (const journalled_batch* batch : batches) {
        boost::json::object one;
        one["batch"] = batch->batch;
        if (!batch->job_id.empty()) {
            one["job_id"] = text::json_string(batch->job_id);
        }
        one["rows"] = text::ranges_array(batch->rows);
        one["chunks"] = batch->chunks;
        out.push_back(std::move(one));
    }
    return out;
}

boost::json::array jobs_left_array(const std::vector<folder::left_job>& jobs) {
    boost::json::array out;
    for (const folder::left_job& left : jobs) {
        boost::json::object one;
        one["batch"] = left.batch;
        one["job_id"] = text::json_string(left.job_id);
        one["rows"] = text::ranges_array(left.rows);
        one["at_fault"] = left.at_fault;
        one["check_failed"] = left.check_failed;
        one["reason"] = text::json_string(left.reason);
        out.push_back(std::move(one));
    }
    return out;
}

boost::json::object status_object(const folder_status& seen) {
    const prior_run& run = seen.journal.run;
    boost::json::object out;
    out["state"] = seen.state();
    out["service"] = text::json_string(seen.journal.identity.service);
    out["model"] = text::json_string(seen.journal.identity.model);
    if (const auto total = seen.rows_total()) {
        out["rows_total"] = *total;
        out["rows_left"] = seen.rows_left();
    }
    out["rows_done"] = seen.rows_done();
    out["rows_failed"] = seen.rows_failed();
    out["rows_blank"] = seen.rows_blank();
    out["batches_done"] = run.batches_done;
    out["in_flight"] = batches_array(seen.batches(batch_state::accepted));
    out["unanswered"] = batches_array(seen.unanswered());
    out["chunks_charged"] = run.chunks_charged;
    out["extra_chunks"] = run.facts.extra_chunks;
    if (const auto allowed = seen.max_chunks()) {
        out["max_chunks"] = *allowed;
        out["max_chunks_used_up"] = seen.chunks_needed().has_value();
    }
    if (const auto needed = seen.chunks_needed()) {
        out["max_chunks_needed"] = *needed;
    }
    out["rows_per_chunk"] = run.facts.rows_per_chunk;
    out["dimensions"] = run.facts.dimensions;
    out["jobs_left"] = jobs_left_array(seen.jobs_left());
    if (const std::string command = seen.command(); !command.empty()) {
        out["command"] = text::json_string(command);
    }
    return out;
}

void print_rows(console& out, const folder_status& seen) {
    std::string line =
        "rows        " + text::grouped(seen.rows_done()) + " done, " + text::grouped(seen.rows_failed()) + " failed";
    if (seen.rows_blank() > 0) {
        line += ", " + text::grouped(seen.rows_blank()) + " blank";
    }
    if (const auto total = seen.rows_total()) {
        line += ", " + text::grouped(seen.rows_left()) + " left of " + text::grouped(*total);
        if (!seen.complete()) {
            line += " (copies of other rows among them, which cost nothing)";
        }
    }
    out.print(line);
}

void print_batches(console& out, const std::vector<const journalled_batch*>& batches, bool with_job) {
    for (std::size_t i = 0; i < batches.size() && i < named_max; ++i) {
        const journalled_batch& one = *batches[i];
        const std::string chunks = text::counted(one.chunks, "chunk", "chunks");
        out.print("  " + (with_job ? "job " + text::printable(one.job_id) : "batch " + std::to_string(one.batch)) +
                  ": " + text::describe_ranges(one.rows) + ", " +
                  (with_job ? chunks : "up to " + chunks + " may have been charged"));
    }
    if (batches.size() > named_max) {
        out.print("  … and " + text::grouped(batches.size() - named_max) + " more");
    }
}

// Prints the jobs that are paid for, with what the service said about them when the last process asked.
void print_jobs_left(console& out, const std::vector<folder::left_job>& jobs) {
    if (jobs.empty()) {
        return;
    }
    out.print("left aside  " + text::counted(jobs.size(), "job", "jobs") +
              " of those, paid for, whose rows the last process could not get");
    for (std::size_t i = 0; i < jobs.size() && i < named_max; ++i) {
        const folder::left_job& left = jobs[i];
        out.print("  job " + text::printable(left.job_id) + ": " + text::describe_ranges(left.rows) +
                  (left.at_fault ? ": its responses cannot be used: " : ": did not come in time: ") +
                  text::printable(left.reason));
    }
    if (jobs.size() > named_max) {
        out.print("  … and " + text::grouped(jobs.size() - named_max) + " more");
    }
    out.print("            if that does not change, ask the service's support about these job ids");
}

void print_next(console& out, const folder_status& seen, const std::string& folder) {
    if (seen.complete()) {
        out.print("next        vembed verify " + text::shell_path(folder));
        return;
    }
    if (seen.journal.in_use) {
        out.print("next        a process is working on it now");
        return;
    }
    const std::string command = seen.command();
    out.print("next        " + (command.empty() ? "run the same `vembed embed` again" : command));
    if (const auto needed = seen.chunks_needed()) {
        out.print("            --max-chunks " + std::to_string(seen.max_chunks().value_or(0)) + " is used up (" +
                  text::counted(seen.chunks_spoken_for(), "chunk", "chunks") +
                  " charged or perhaps charged): to go on it must be larger;");
        out.print("            " + std::to_string(*needed) + " is enough for every row that is left");
    }
    if (!seen.jobs_left().empty()) {
        out.print("            which asks for the jobs left aside once more, and buys nothing for them");
    }
    std::uint64_t chunks = 0;
    for (const journalled_batch* batch : seen.unanswered()) {
        chunks += batch->chunks;
    }
    if (chunks > 0) {
        out.print("            which leaves the unanswered batches out; to send them again, add");
        out.print("            --on-unknown resubmit --max-extra-chunks " +
                  std::to_string(chunks + seen.journal.run.facts.extra_chunks));
    }
}

void print_status(console& out, const folder_status& seen, const std::string& folder) {
    const prior_run& run = seen.journal.run;
    out.print("state       " + std::string(seen.state()));
    out.print("service     " + text::printable(seen.journal.identity.service) +
              (seen.journal.identity.model.empty() ? "" : ", model " + text::printable(seen.journal.identity.model)));
    print_rows(out, seen);
    std::string line = "chunks      " + text::grouped(run.chunks_charged) + " charged; " +
                       text::counted(run.batches_done, "job", "jobs") + " finished";
    if (run.facts.extra_chunks > 0) {
        line += "; " + text::grouped(run.facts.extra_chunks) + " spent on sending batches again";
    }
    if (run.facts.rows_per_chunk > 0) {
        line += std::string("; ") + (plan::chunk_size_is_known(run) ? "" : "at least ") +
                text::counted(run.facts.rows_per_chunk, "row", "rows") + " a chunk";
    }
    out.print(line);
    const auto in_flight = seen.batches(batch_state::accepted);
    out.print("in flight   " + text::counted(in_flight.size(), "job", "jobs") +
              (seen.journal.in_use || in_flight.empty() ? "" : ", taken up again by the next process"));
    print_batches(out, in_flight, true);
    print_jobs_left(out, seen.jobs_left());
    const auto unanswered = seen.unanswered();
    out.print("unanswered  " + text::counted(unanswered.size(), "batch", "batches"));
    print_batches(out, unanswered, false);
    print_next(out, seen, folder);
}

}  // namespace

exit_code run_status(const command_context& context, const status_arguments& arguments) {
    const std::string path = folder::layout::in(arguments.folder, folder::layout::journal);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return give_up(context.out,
                       error(errc::io, "there is no " + path + ": is this the output folder of a `vembed embed` run?"));
    }
    folder_status seen;
    auto journal = read_journal(path);
    if (!journal) {
        return give_up(context.out, journal.error());
    }
    seen.journal = std::move(*journal);
    correct_first_guesses(seen.journal.run);
    auto recorded = folder::read_manifest(arguments.folder);
    if (!recorded) {
        return give_up(context.out, recorded.error());
    }
    seen.recorded = std::move(*recorded);
    seen.asked = folder::read_run_file(arguments.folder);
    if (!seen.complete()) {
        seen.blank_lines_noted = folder::count_blank_rows(arguments.folder);
    }
    if (context.out.json()) {
        context.out.print_object("status", status_object(seen));
    } else {
        print_status(context.out, seen, arguments.folder);
    }
    return exit_code::done;
}

}  // namespace vembed::cli
