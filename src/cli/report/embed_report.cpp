#include "cli/report/embed_report.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "corpus/survey.hpp"
#include "folder/layout.hpp"
#include "text/json/json_fields.hpp"
#include "text/shell_words.hpp"
#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shown_max = 10;

/// The first rows of failed.jsonl with their places in the corpus.
std::vector<std::string> failed_rows_of(const std::string& folder) {
    std::vector<std::string> shown;
    std::ifstream in(folder::layout::in(folder, folder::layout::failed), std::ios::binary);
    for (std::string line; shown.size() < shown_max && std::getline(in, line);) {
        const auto object = text::object_of(line);
        if (!object || object->contains("blank")) {
            continue;
        }
        std::string place = text::text_of(*object, "origin");
        if (const auto row = text::number_of(*object, "row"); place.empty() && row) {
            place = "row " + std::to_string(*row);
        }
        const std::string message = text::text_of(*object, "message");
        // Most messages begin with the place themselves.
        place = message.starts_with(place) ? message : place.append(": ").append(message);
        shown.push_back(std::move(place));
    }
    return shown;
}

void tell_unknown(console& out, const bulk_report& report, const std::string& folder) {
    constexpr std::size_t named_max = 20;
    out.warn(text::counted(report.unknown.size(), "batch is", "batches are") + " in doubt:");
    for (std::size_t i = 0; i < report.unknown.size() && i < named_max; ++i) {
        out.warn("  " + describe_unknown(report.unknown[i]));
    }
    if (report.unknown.size() > named_max) {
        out.warn("  … and " + text::grouped(report.unknown.size() - named_max) + " more batches, all in " + folder +
                 "/manifest.json");
    }
}

// Says, even if quiet, how many rows have no values and which file lists them. The first rows follow if not quiet.
void tell_failed(console& out, const bulk_report& report, const std::string& folder) {
    if (report.jobs_unverified > 0) {
        out.warn(text::counted(report.jobs_unverified, "job", "jobs") +
                 " did not verify: their rows were withheld and count as failed");
    }
    out.warn(text::counted(report.rows_failed, "row", "rows") + " failed, see " + folder + "/failed.jsonl" +
             (out.quiet() ? "" : ":"));
    if (out.quiet()) {
        return;
    }
    for (const std::string& row : failed_rows_of(folder)) {
        out.say("  " + row);
    }
}

void tell_rows(console& out, const bulk_report& report) {
    std::string line = text::grouped(report.rows_done) + " of " + text::grouped(report.rows_total) + " rows embedded";
    if (report.rows_done_before > 0) {
        line += " (" + text::grouped(report.rows_done_before) + " of them before)";
    }
    const std::uint64_t now = report.rows_done - std::min(report.rows_done, report.rows_done_before);
    line += " in " + text::short_duration(report.elapsed);
    if (now > 0 && report.elapsed > 0ms) {
        line += ", " +
                text::short_rate(1000.0 * static_cast<double>(now) / static_cast<double>(report.elapsed.count())) +
                " rows/s";
    }
    out.say(line);
}

/// A text such as "1,200 rows repeat others (about 12 chunks saved)".
std::string saved(std::uint64_t rows, const char* one, const char* more, std::uint64_t rows_per_chunk) {
    std::string text = text::counted(rows, one, more);
    if (rows_per_chunk > 0) {
        text += " (about " + text::counted((rows + rows_per_chunk / 2) / rows_per_chunk, "chunk", "chunks") + " saved)";
    }
    return text;
}

}  // namespace

exit_code exit_code_of(const bulk_report& report) noexcept {
    if (report.jobs_unverified > 0) {
        return exit_code::verification_failed;
    }
    if (report.reason == stop_reason::faulty_jobs) {
        const bool is_unproved = std::ranges::any_of(report.jobs_left, &job_left::check_failed);
        return is_unproved ? exit_code::verification_failed : exit_code::error;
    }
    if (report.reason == stop_reason::chunk_budget) {
        return exit_code::error;  // This is not `unfinished`: the same command again would buy nothing.
    }
    if (report.reason != stop_reason::complete) {
        return exit_code::unfinished;
    }
    return report.rows_failed == 0 ? exit_code::done : exit_code::rows_failed;
}

void tell_survey(console& out, const corpus_survey& seen) {
    out.say(text::counted(seen.rows, "row", "rows") + ", " + text::short_bytes(seen.text_bytes) + " of text" +
            (seen.blank == 0 ? "" : ", " + text::counted(seen.blank, "blank line", "blank lines")));
    if (seen.defective == 0) {
        return;
    }
    out.say(text::grouped(seen.defective) + (seen.defective == 1 ? " row" : " rows") +
            " cannot be embedded and will be left out:");
    for (std::size_t i = 0; i < seen.defects.size() && i < shown_max; ++i) {
        out.say("  " + corpus::place_of(seen.defects[i]) + ": " + seen.defects[i].defect);
    }
    if (seen.defective > shown_max) {
        out.say("  … and " + text::grouped(seen.defective - shown_max) + " more, see failed.jsonl at the end");
    }
}

std::vector<std::string> describe_costs(const bulk_report& report) {
    std::vector<std::string> out;
    std::string line = text::counted(report.jobs, "job", "jobs") + ", " +
                       text::counted(report.chunks_used, "chunk", "chunks") + " charged";
    if (report.narrowing_chunks > 0) {
        line += ", " + text::grouped(report.narrowing_chunks) + " of them to find rows that made jobs fail";
    }
    if (report.extra_chunks > 0) {
        line += "; " + text::grouped(report.extra_chunks) + " in the whole run for sending again";
    }
    out.push_back(line);
    if (report.chunks_used > 0) {
        out.push_back("of those the service re-executed " + text::grouped(report.chunks_sampled) +
                      " (its sample); how the others were computed nothing shows");
    }
    if (report.chunks_naive > 0) {
        out.push_back("the whole corpus, cut into jobs without regard to chunks, would take " +
                      text::counted(report.chunks_naive, "chunk", "chunks") + "; a chunk has " +
                      // Jobs of one chunk each may all have been smaller than a chunk.
                      (report.chunks_used > report.jobs ? "" : "at least ") +
                      text::counted(report.rows_per_chunk, "row", "rows"));
    }
    if (report.rows_duplicate > 0) {
        out.push_back(saved(report.rows_duplicate, "row repeats another", "rows repeat others", report.rows_per_chunk));
    }
    if (report.rows_cached > 0) {
        out.push_back(
            saved(report.rows_cached, "row came from the cache", "rows came from the cache", report.rows_per_chunk));
    }
    return out;
}

std::string describe_unknown(const unknown_batch& batch) {
    std::string line =
        "batch " + std::to_string(batch.batch) + ", " + text::describe_rows(batch.rows) + ": " + batch.reason;
    const std::string chunks = text::counted(batch.chunks_estimated, "chunk", "chunks");
    if (batch.resubmitted) {
        return line + "; sent again at the risk of paying " + chunks + " twice";
    }
    if (batch.not_charged) {
        return line + "; the account's count shows that it never became a job: its rows are bought as if new";
    }
    if (batch.probably_charged) {
        return line + "; the account's count shows its " + chunks + ", unless somebody else used the account";
    }
    return line + "; up to " + chunks + " may have been charged";
}

// Checks that every job passed share one line; the others are named.
void tell_checks(console& out, const bulk_report& report) {
    std::string passed;
    for (const check_count& check : report.checks) {
        if (check.failed + check.not_checkable == 0) {
            passed += (passed.empty() ? "" : ", ") + check.name;
            continue;
        }
        const std::uint64_t all = check.verified + check.failed + check.not_checkable;
        std::string line =
            "check " + check.name + ": " + text::grouped(check.verified) + " of " + text::grouped(all) + " verified";
        line += check.failed > 0 ? ", " + text::grouped(check.failed) + " failed" : "";
        line += check.not_checkable > 0 ? ", " + text::grouped(check.not_checkable) + " not checkable" : "";
        line += " (" + text::printable(check.reason) + ")";
        check.failed > 0 ? out.warn(line) : out.say(line);
    }
    if (!passed.empty()) {
        out.say("checked of every job: " + passed);
    }
}

// Prints the jobs that are paid for and whose rows, as far as is known, can still be fetched.
void tell_jobs_left(console& out, const bulk_report& report) {
    for (std::size_t i = 0; i < std::min(report.jobs_left.size(), shown_max); ++i) {
        const job_left& left = report.jobs_left[i];
        out.warn("job " + text::printable(left.job_id) + ", " + text::describe_ranges(left.rows) +
                 (left.at_fault ? ": its responses cannot be used: " : ": did not come in time: ") +
                 text::printable(left.reason) + "; it stays in the journal, nothing was bought again");
    }
    if (report.jobs_left.size() > shown_max) {
        out.warn("and " + text::grouped(report.jobs_left.size() - shown_max) + " more such jobs");
    }
}

void tell_end(console& out, const bulk_report& report, const std::string& folder, bool from_stdin) {
    tell_rows(out, report);
    for (const std::string& line : describe_costs(report)) {
        out.say(line);
    }
    if (!report.cache_trouble.empty()) {
        out.warn("the cache failed, and rows that it may have were bought: " + report.cache_trouble);
    }
    tell_checks(out, report);
    if (report.rows_blank > 0) {
        out.say(text::counted(report.rows_blank, "blank line has", "blank lines have") +
                " a row without values, so that rows and lines have the same numbers");
    }
    if (report.rows_failed > 0) {
        tell_failed(out, report, folder);
    }
    if (!report.unknown.empty()) {
        tell_unknown(out, report, folder);
    }
    tell_jobs_left(out, report);
    if (report.reason == stop_reason::complete) {
        out.say("the result is " + folder + "/embeddings.npy; check it with: vembed verify " +
                text::shell_path(folder));
        return;
    }
    out.warn("unfinished (" + std::string(to_string(report.reason)) + ")" +
             (report.message.empty() ? "" : ": " + report.message));
    if (report.rows_beyond_tier > 0 && report.tier_left) {
        out.warn("about " + text::counted(report.rows_beyond_tier, "row cannot", "rows cannot") +
                 " be bought before the trial " +
                 (report.tier_left->count() > 0 ? "ends in " + text::short_duration(*report.tier_left) : "ended") +
                 ": the rest needs another tier");
    }
    std::string next = "what was bought is kept in " + folder + ". To go on";
    if (report.resume_after) {
        next += ", in " + text::short_duration(*report.resume_after) + " or later,";
    }
    next += from_stdin ? " run the same command again with " +
                             text::shell_path(folder::layout::in(folder, folder::layout::spool)) + " in place of -"
                       : " run the same command again";
    if (report.reason == stop_reason::parked_batches) {
        std::uint64_t chunks = 0;
        for (const unknown_batch& batch : report.unknown) {
            chunks += batch.resubmitted || batch.not_charged ? 0 : batch.chunks_estimated;
        }
        if (chunks > 0) {
            next += report.resume_after ? "; by then the account's count may decide about them, and --wait-unanswered "
                                          "waits for that"
                                        : "";
            next += "; to send those batches again, add --on-unknown resubmit --max-extra-chunks " +
                    std::to_string(chunks + report.extra_chunks);
        }
    }
    if (report.reason == stop_reason::chunk_budget) {
        next += " with a larger --max-chunks";
    }
    out.say(next);
}

}  // namespace vembed::cli
