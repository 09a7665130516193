#include "cli/report/embed_report.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <fmt/core.h>

#include "cli/terminal/first_of.hpp"
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
            place = fmt::format("row {}", *row);
        }
        const std::string message = text::text_of(*object, "message");
        // Most messages begin with the place themselves.
        shown.push_back(message.starts_with(place) ? message : fmt::format("{}: {}", place, message));
    }
    return shown;
}

void tell_unknown(console& out, const bulk_report& report, const std::string& folder) {
    constexpr std::size_t named_max = 20;
    out.warn("{} in doubt:", text::counted(report.unknown.size(), "batch is", "batches are"));
    for (const unknown_batch& batch : first_of(report.unknown, named_max)) {
        out.warn("  {}", describe_unknown(batch));
    }
    if (report.unknown.size() > named_max) {
        out.warn("  … and {} more batches, all in {}/manifest.json", text::grouped(report.unknown.size() - named_max),
                 folder);
    }
}

// Says, even if quiet, how many rows have no values and which file lists them. The first rows follow if not quiet.
void tell_failed(console& out, const bulk_report& report, const std::string& folder) {
    if (report.jobs_unverified > 0) {
        out.warn("{} did not verify: their rows were withheld and count as failed",
                 text::counted(report.jobs_unverified, "job", "jobs"));
    }
    out.warn("{} failed, see {}/failed.jsonl{}", text::counted(report.rows_failed, "row", "rows"), folder,
             out.quiet() ? "" : ":");
    if (out.quiet()) {
        return;
    }
    for (const std::string& row : failed_rows_of(folder)) {
        out.say("  {}", row);
    }
}

void tell_rows(console& out, const bulk_report& report) {
    const std::uint64_t before = report.rows_done_before;
    const std::uint64_t now = report.rows_done - std::min(report.rows_done, before);
    std::string rate;
    if (now > 0 && report.elapsed > 0ms) {
        const double per_second = 1000.0 * static_cast<double>(now) / static_cast<double>(report.elapsed.count());
        rate = fmt::format(", {} rows/s", text::short_rate(per_second));
    }
    out.say("{} of {} rows embedded{} in {}{}", text::grouped(report.rows_done), text::grouped(report.rows_total),
            before == 0 ? "" : fmt::format(" ({} of them before)", text::grouped(before)),
            text::short_duration(report.elapsed), rate);
}

/// A text such as "1,200 rows repeat others (about 12 chunks saved)".
std::string saved(std::uint64_t rows, const char* one, const char* more, std::uint64_t rows_per_chunk) {
    std::string text = text::counted(rows, one, more);
    if (rows_per_chunk == 0) {
        return text;
    }
    const std::uint64_t chunks = (rows + rows_per_chunk / 2) / rows_per_chunk;
    return fmt::format("{} (about {} saved)", text, text::counted(chunks, "chunk", "chunks"));
}

/// The end of the sentence "To go on …".
std::string how_to_go_on(const bulk_report& report, const std::string& folder, bool from_stdin) {
    std::string next;
    if (report.resume_after) {
        next += fmt::format(", in {} or later,", text::short_duration(*report.resume_after));
    }
    next += " run the same command again";
    if (from_stdin) {
        next +=
            fmt::format(" with {} in place of -", text::shell_path(folder::layout::in(folder, folder::layout::spool)));
    }
    if (report.reason == stop_reason::parked_batches) {
        std::uint64_t chunks = 0;
        for (const unknown_batch& batch : report.unknown) {
            chunks += batch.resubmitted || batch.not_charged ? 0 : batch.chunks_estimated;
        }
        if (chunks > 0) {
            next += report.resume_after ? "; by then the account's count may decide about them, and --wait-unanswered "
                                          "waits for that"
                                        : "";
            next += fmt::format("; to send those batches again, add --on-unknown resubmit --max-extra-chunks {}",
                                chunks + report.extra_chunks);
        }
    }
    if (report.reason == stop_reason::chunk_budget) {
        next += " with a larger --max-chunks";
    }
    return next;
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
    out.say("{}, {} of text{}", text::counted(seen.rows, "row", "rows"), text::short_bytes(seen.text_bytes),
            seen.blank == 0 ? "" : ", " + text::counted(seen.blank, "blank line", "blank lines"));
    if (seen.defective == 0) {
        return;
    }
    out.say("{} cannot be embedded and will be left out:", text::counted(seen.defective, "row", "rows"));
    for (const defective_row& row : first_of(seen.defects, shown_max)) {
        out.say("  {}: {}", corpus::place_of(row), row.defect);
    }
    if (seen.defective > shown_max) {
        out.say("  … and {} more, see failed.jsonl at the end", text::grouped(seen.defective - shown_max));
    }
}

std::vector<std::string> describe_costs(const bulk_report& report) {
    std::vector<std::string> out;
    std::string line = fmt::format("{}, {} charged", text::counted(report.jobs, "job", "jobs"),
                                   text::counted(report.chunks_used, "chunk", "chunks"));
    if (report.narrowing_chunks > 0) {
        line += fmt::format(", {} of them to find rows that made jobs fail", text::grouped(report.narrowing_chunks));
    }
    if (report.extra_chunks > 0) {
        line += fmt::format("; {} in the whole run for sending again", text::grouped(report.extra_chunks));
    }
    out.push_back(line);
    if (report.chunks_used > 0) {
        out.push_back(
            fmt::format("the service re-executed {} of those (its sample); nothing shows how the others were computed",
                        text::grouped(report.chunks_sampled)));
    }
    if (report.chunks_naive > 0) {
        // Jobs of one chunk each may all have been smaller than a chunk.
        out.push_back(fmt::format(
            "the whole corpus, cut into jobs without regard to chunks, would take {}; a chunk has {}{}",
            text::counted(report.chunks_naive, "chunk", "chunks"), report.chunks_used > report.jobs ? "" : "at least ",
            text::counted(report.rows_per_chunk, "row", "rows")));
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
    const std::string chunks = text::counted(batch.chunks_estimated, "chunk", "chunks");
    std::string outcome = fmt::format("up to {} may have been charged", chunks);
    if (batch.resubmitted) {
        outcome = fmt::format("sent again at the risk of paying {} twice", chunks);
    } else if (batch.not_charged) {
        outcome = "the account's count shows that it never became a job: its rows are bought as if new";
    } else if (batch.probably_charged) {
        outcome = fmt::format("the account's count shows its {}, unless somebody else used the account", chunks);
    }
    return fmt::format("batch {}, {}: {}; {}", batch.batch, text::describe_rows(batch.rows), batch.reason, outcome);
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
        const std::string line = fmt::format(
            "check {}: {} of {} verified{}{} ({})", check.name, text::grouped(check.verified), text::grouped(all),
            check.failed > 0 ? fmt::format(", {} failed", text::grouped(check.failed)) : "",
            check.not_checkable > 0 ? fmt::format(", {} not checkable", text::grouped(check.not_checkable)) : "",
            text::printable(check.reason));
        check.failed > 0 ? out.warn(line) : out.say(line);
    }
    if (!passed.empty()) {
        out.say("checked of every job: {}", passed);
    }
}

// Prints the jobs that are paid for and whose rows, as far as is known, can still be fetched.
void tell_jobs_left(console& out, const bulk_report& report) {
    for (const job_left& left : first_of(report.jobs_left, shown_max)) {
        out.warn("job {}, {}: {}: {}; it stays in the journal, nothing was bought again", text::printable(left.job_id),
                 text::describe_ranges(left.rows),
                 left.at_fault ? "its responses cannot be used" : "its rows did not come in time",
                 text::printable(left.reason));
    }
    if (report.jobs_left.size() > shown_max) {
        out.warn("and {} more such jobs", text::grouped(report.jobs_left.size() - shown_max));
    }
}

void tell_end(console& out, const bulk_report& report, const std::string& folder, bool from_stdin) {
    tell_rows(out, report);
    for (const std::string& line : describe_costs(report)) {
        out.say(line);
    }
    if (!report.cache_trouble.empty()) {
        out.warn("the cache failed, and rows that it may have were bought: {}", report.cache_trouble);
    }
    tell_checks(out, report);
    if (report.rows_blank > 0) {
        out.say("{} a row without values, so that rows and lines have the same numbers",
                text::counted(report.rows_blank, "blank line has", "blank lines have"));
    }
    if (report.rows_failed > 0) {
        tell_failed(out, report, folder);
    }
    if (!report.unknown.empty()) {
        tell_unknown(out, report, folder);
    }
    tell_jobs_left(out, report);
    if (report.reason == stop_reason::complete) {
        out.say("the result is {}/embeddings.npy; check it with: vembed verify {}", folder, text::shell_path(folder));
        return;
    }
    out.warn("unfinished ({}){}", to_string(report.reason), report.message.empty() ? "" : ": " + report.message);
    if (report.rows_beyond_tier > 0 && report.tier_left) {
        out.warn("about {} be bought before the trial {}: the rest needs another tier",
                 text::counted(report.rows_beyond_tier, "row cannot", "rows cannot"),
                 report.tier_left->count() > 0 ? "ends in " + text::short_duration(*report.tier_left) : "ended");
    }
    out.say("what was bought is kept in {}. To go on{}", folder, how_to_go_on(report, folder, from_stdin));
}

}  // namespace vembed::cli
