#include <vembed/folder/folder_status.hpp>

#include "bulk/report_json.hpp"
#include "cli/commands/commands.hpp"
#include "text/json/json_value.hpp"
#include "text/shell_words.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

constexpr std::size_t named_max = 20;

boost::json::array batches_array(const std::vector<journalled_batch>& batches) {
    boost::json::array out;
    for (const journalled_batch& batch : batches) {
        boost::json::object one;
        one["batch"] = batch.batch;
        if (!batch.job_id.empty()) {
            one["job_id"] = text::json_string(batch.job_id);
        }
        one["rows"] = text::ranges_array(batch.rows);
        one["chunks"] = batch.chunks;
        out.push_back(std::move(one));
    }
    return out;
}

boost::json::object status_object(const folder_status& seen) {
    boost::json::object out;
    out["state"] = to_string(seen.state);
    out["service"] = text::json_string(seen.service);
    out["model"] = text::json_string(seen.model);
    if (seen.rows_total) {
        out["rows_total"] = *seen.rows_total;
        out["rows_left"] = seen.rows_left;
    }
    out["rows_done"] = seen.rows_done;
    out["rows_failed"] = seen.rows_failed;
    out["rows_blank"] = seen.rows_blank;
    out["batches_done"] = seen.batches_done;
    out["in_flight"] = batches_array(seen.in_flight);
    out["unanswered"] = batches_array(seen.unanswered);
    out["chunks_charged"] = seen.chunks_charged;
    out["extra_chunks"] = seen.extra_chunks;
    if (seen.max_chunks) {
        out["max_chunks"] = *seen.max_chunks;
        out["max_chunks_used_up"] = seen.max_chunks_needed.has_value();
    }
    if (seen.max_chunks_needed) {
        out["max_chunks_needed"] = *seen.max_chunks_needed;
    }
    out["rows_per_chunk"] = seen.rows_per_chunk;
    out["dimensions"] = seen.dimensions;
    out["jobs_left"] = bulk::jobs_left_array(seen.jobs_left);
    if (!seen.command.empty()) {
        out["command"] = text::json_string(seen.command);
    }
    return out;
}

void print_rows(console& out, const folder_status& seen) {
    std::string line =
        "rows        " + text::grouped(seen.rows_done) + " done, " + text::grouped(seen.rows_failed) + " failed";
    if (seen.rows_blank > 0) {
        line += ", " + text::grouped(seen.rows_blank) + " blank";
    }
    if (seen.rows_total) {
        line += ", " + text::grouped(seen.rows_left) + " left of " + text::grouped(*seen.rows_total);
        if (seen.state != folder_state::complete) {
            line += " (copies of other rows among them, which cost nothing)";
        }
    }
    out.print(line);
}

void print_batches(console& out, const std::vector<journalled_batch>& batches, bool with_job) {
    for (std::size_t i = 0; i < batches.size() && i < named_max; ++i) {
        const journalled_batch& one = batches[i];
        const std::string chunks = text::counted(one.chunks, "chunk", "chunks");
        out.print("  {}: {}, {}",
                  with_job ? "job " + text::printable(one.job_id) : "batch " + std::to_string(one.batch),
                  text::describe_ranges(one.rows), with_job ? chunks : "up to " + chunks + " may have been charged");
    }
    if (batches.size() > named_max) {
        out.print("  … and {} more", text::grouped(batches.size() - named_max));
    }
}

// Prints the jobs that are paid for, with what the service said about them when the last process asked.
void print_jobs_left(console& out, const std::vector<job_left>& jobs) {
    if (jobs.empty()) {
        return;
    }
    out.print("left aside  {} of those, paid for, whose rows the last process could not get",
              text::counted(jobs.size(), "job", "jobs"));
    for (std::size_t i = 0; i < jobs.size() && i < named_max; ++i) {
        const job_left& left = jobs[i];
        out.print("  job {}: {}{}{}", text::printable(left.job_id), text::describe_ranges(left.rows),
                  left.at_fault ? ": its responses cannot be used: " : ": did not come in time: ",
                  text::printable(left.reason));
    }
    if (jobs.size() > named_max) {
        out.print("  … and {} more", text::grouped(jobs.size() - named_max));
    }
    out.print("            if that does not change, ask the service's support about these job ids");
}

void print_next(console& out, const folder_status& seen, const std::string& folder) {
    if (seen.state == folder_state::complete) {
        out.print("next        vembed verify {}", text::shell_path(folder));
        return;
    }
    if (seen.state == folder_state::running) {
        out.print("next        a process is working on it now");
        return;
    }
    out.print("next        {}", seen.command.empty() ? "run the same `vembed embed` again" : seen.command);
    if (seen.max_chunks_needed) {
        out.print("            --max-chunks {} is used up ({} charged or perhaps charged): to go on it must be larger;",
                  seen.max_chunks.value_or(0),
                  text::counted(seen.chunks_charged + seen.chunks_unanswered, "chunk", "chunks"));
        out.print("            {} is enough for every row that is left", *seen.max_chunks_needed);
    }
    if (!seen.jobs_left.empty()) {
        out.print("            which asks for the jobs left aside once more, and buys nothing for them");
    }
    if (seen.chunks_unanswered > 0) {
        out.print("            which leaves the batches in doubt out; to send them again, add");
        out.print("            --on-unknown resubmit --max-extra-chunks {}",
                  seen.chunks_unanswered + seen.extra_chunks);
    }
}

void print_status(console& out, const folder_status& seen, const std::string& folder) {
    out.print("state       {}", to_string(seen.state));
    out.print("service     {}{}", text::printable(seen.service),
              seen.model.empty() ? "" : ", model " + text::printable(seen.model));
    print_rows(out, seen);
    std::string line = "chunks      " + text::grouped(seen.chunks_charged) + " charged; " +
                       text::counted(seen.batches_done, "job", "jobs") + " finished";
    if (seen.extra_chunks > 0) {
        line += "; " + text::grouped(seen.extra_chunks) + " spent on sending batches again";
    }
    if (seen.rows_per_chunk > 0) {
        line += std::string("; ") + (seen.rows_per_chunk_known ? "" : "at least ") +
                text::counted(seen.rows_per_chunk, "row", "rows") + " a chunk";
    }
    out.print(line);
    out.print(
        "in flight   {}{}", text::counted(seen.in_flight.size(), "job", "jobs"),
        seen.state == folder_state::running || seen.in_flight.empty() ? "" : ", taken up again by the next process");
    print_batches(out, seen.in_flight, true);
    print_jobs_left(out, seen.jobs_left);
    out.print("in doubt    {}", text::counted(seen.unanswered.size(), "batch", "batches"));
    print_batches(out, seen.unanswered, false);
    print_next(out, seen, folder);
}

}  // namespace

exit_code run_status(const command_context& context, const status_arguments& arguments) {
    const auto seen = read_folder_status(arguments.folder);
    if (!seen) {
        return give_up(context.out, seen.error());
    }
    if (context.out.json()) {
        context.out.print_object("status", status_object(*seen));
    } else {
        print_status(context.out, *seen, arguments.folder);
    }
    return exit_code::done;
}

}  // namespace vembed::cli
