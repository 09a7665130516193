#include <vembed/folder/folder_status.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "core/row_ranges.hpp"
#include "folder/corpus_of_run.hpp"
#include "folder/layout.hpp"
#include "folder/manifest.hpp"
#include "folder/read/folder_lines.hpp"
#include "folder/run_file.hpp"
#include "policy/packing/packing.hpp"

namespace vembed {
namespace {

std::vector<journalled_batch> batches_of(const prior_run& run, batch_state state) {
    std::vector<journalled_batch> out;
    std::ranges::copy_if(run.batches, std::back_inserter(out),
                         [state](const journalled_batch& one) { return one.state == state; });
    return out;
}

// While a process runs, the submissions that it is sending may get a response.
std::vector<journalled_batch> unanswered_of(const journal_reading& journal) {
    std::vector<journalled_batch> out = batches_of(journal.run, batch_state::unknown);
    if (!journal.in_use) {
        std::ranges::move(batches_of(journal.run, batch_state::intent), std::back_inserter(out));
    }
    return out;
}

// Lowers the estimates that were noted before the chunk size was known. The end of a run computes them the same way.
void correct_first_guesses(prior_run& run) {
    for (journalled_batch& one : run.batches) {
        if (one.state == batch_state::unknown || one.state == batch_state::intent) {
            one.chunks = std::min(one.chunks, policy::chunks_of(core::rows_in(one.rows), run.facts.rows_per_chunk));
        }
    }
}

// An unfinished journal has no record of copies, and counts blank rows among the failed rows.
void count_rows(folder_status& out, const prior_run& run, const folder::manifest* done,
                const std::optional<folder::run_file>& asked, std::uint64_t blank_lines) {
    if (done != nullptr) {
        out.rows_total = done->rows;
        out.rows_blank = done->rows_blank;
        out.rows_failed = done->rows_failed;
        out.rows_done = done->rows - done->rows_failed - done->rows_blank;
    } else {
        out.rows_total = asked ? std::optional(asked->rows) : std::nullopt;
        out.rows_blank = std::min(blank_lines, run.rows_failed);
        out.rows_failed = run.rows_failed - out.rows_blank;
        out.rows_done = run.rows_done;
    }
    const std::uint64_t ended = out.rows_done + out.rows_failed + out.rows_blank;
    out.rows_left = out.rows_total.value_or(ended) - std::min(out.rows_total.value_or(ended), ended);
}

// The end of a run computes it the same way.
std::optional<std::uint64_t> chunks_needed(const folder_status& of) {
    const std::uint64_t counted = of.chunks_charged + of.chunks_unanswered;
    if (of.state == folder_state::running || !of.max_chunks || counted < *of.max_chunks) {
        return std::nullopt;
    }
    std::uint64_t sent = 0;
    for (const auto* some : {&of.in_flight, &of.unanswered}) {
        for (const journalled_batch& batch : *some) {
            sent += core::rows_in(batch.rows);
        }
    }
    const std::uint64_t left = of.rows_left - std::min(of.rows_left, sent);
    const std::uint64_t size = std::max<std::uint64_t>(of.rows_per_chunk, 1);
    return left == 0 ? std::nullopt : std::optional(counted + policy::chunks_of(left, size));
}

// Jobs that were finished since are left out.
std::vector<job_left> jobs_left_of(const std::optional<folder::manifest>& recorded,
                                   const std::vector<journalled_batch>& in_flight) {
    std::vector<job_left> out;
    for (const job_left& left : recorded ? recorded->jobs_left : std::vector<job_left>()) {
        const auto same = [&left](const journalled_batch& one) {
            return one.batch == left.batch && one.job_id == left.job_id;
        };
        if (std::ranges::any_of(in_flight, same)) {
            out.push_back(left);
        }
    }
    return out;
}

folder_status status_of(const journal_reading& journal, const std::optional<folder::manifest>& recorded,
                        const std::string& folder) {
    const prior_run& run = journal.run;
    const bool complete = recorded && recorded->complete && !journal.in_use;
    const std::optional<folder::run_file> asked = folder::read_run_file(folder);
    folder_status out;
    out.state = journal.in_use ? folder_state::running : complete ? folder_state::complete : folder_state::unfinished;
    out.service = journal.identity.service;
    out.model = journal.identity.model;
    count_rows(out, run, complete ? &*recorded : nullptr, asked, complete ? 0 : folder::count_blank_rows(folder));
    out.batches_done = run.batches_done;
    out.in_flight = batches_of(run, batch_state::accepted);
    out.unanswered = unanswered_of(journal);
    out.chunks_charged = run.chunks_charged;
    for (const journalled_batch& batch : out.unanswered) {
        out.chunks_unanswered += batch.chunks;
    }
    out.extra_chunks = run.facts.extra_chunks;
    out.max_chunks = asked ? folder::max_chunks_of(*asked) : std::nullopt;
    out.rows_per_chunk = run.facts.rows_per_chunk;
    out.rows_per_chunk_known = folder::chunk_size_is_known(run);
    out.dimensions = run.facts.dimensions;
    out.jobs_left = jobs_left_of(recorded, out.in_flight);
    out.max_chunks_needed = chunks_needed(out);
    out.command = asked ? folder::command_of(*asked, out.max_chunks_needed) : std::string();
    return out;
}

}  // namespace

std::string_view to_string(folder_state state) noexcept {
    switch (state) {
        case folder_state::running: return "running";
        case folder_state::complete: return "complete";
        case folder_state::unfinished: break;
    }
    return "unfinished";
}

result<folder_status> read_folder_status(const std::string& folder) {
    const std::string path = folder::layout::in(folder, folder::layout::journal);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return error(errc::io, "there is no " + path + ": is this the output folder of a `vembed embed` run?");
    }
    auto journal = read_journal(path);
    if (!journal) {
        return journal.error();
    }
    correct_first_guesses(journal->run);
    const auto recorded = folder::read_manifest(folder);
    if (!recorded) {
        return recorded.error();
    }
    return status_of(*journal, *recorded, folder);
}

}  // namespace vembed
