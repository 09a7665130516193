#include "bulk/engine/report.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/thrown.hpp"
#include "policy/quota/forecast.hpp"

namespace vembed::bulk {
namespace {

// If progress were told more often than that, no time would be left for anything else.
constexpr std::chrono::milliseconds progress_interval_min{10};
// Number of waiting duplicates that are handled in one go.
constexpr std::size_t duplicates_at_once = 4096;

std::string describe_left(const std::vector<job_left>& left) {
    const std::string jobs = std::to_string(left.size()) + (left.size() == 1 ? " job was" : " jobs were");
    const auto bad = std::ranges::find(left, true, &job_left::at_fault);
    if (bad == left.end()) {
        return jobs + " accepted and the rows did not come in time; the next run takes them up (" +
               left.front().job_id + ": " + left.front().reason + ")";
    }
    return jobs +
           " accepted and paid for, and the service's responses about them cannot be used; nothing was bought again, "
           "and the next run asks for them once more (" +
           bad->job_id + ": " + bad->reason + ")";
}

}  // namespace

progress reporter::measure() {
    progress seen;
    const monotonic_time now = run_->parts.now();
    const reader_counts& counted = run_->counted;
    const run_tally& tally = run_->tally;
    const std::uint64_t rows_saved = counted.rows_copied + counted.rows_cached;
    seen.rows_done = counted.rows_done_before + tally.rows_done + rows_saved - tally.rows_withdrawn;
    seen.rows_failed = counted.rows_failed;
    seen.rows_blank = counted.rows_blank;
    seen.rows_read = counted.rows_read;
    seen.rows_total = run_->rows_total;
    seen.rows_duplicate = counted.rows_duplicate;
    seen.rows_cached = counted.rows_cached;
    seen.jobs_in_flight = tally.jobs_in_flight;
    seen.jobs_done = tally.jobs;
    seen.batches_unknown = run_->in_doubt.entries().size();
    seen.chunks_used = run_->budget.used();
    seen.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    rate_.note(now, tally.rows_done + rows_saved);
    seen.rows_per_second = rate_.rows_per_second();
    run_->parts.backend->describe_gate(seen);
    seen.pauses -= gate_before_.pauses;
    seen.paused -= gate_before_.paused;
    if (!run_->lines.quota.empty()) {
        seen.limited_by = run_->waits_for_quota;
    }
    if (!run_->lines.outage.empty()) {
        seen.limited_by = "a service that does not respond";
    }
    estimate_finish(seen);
    return seen;
}

// The estimate rests on what the limits allow and on the service's speed so far. It assumes that rows to come are like
// those read.
void reporter::estimate_finish(progress& seen) const {
    const reader_counts& counted = run_->counted;
    const std::uint64_t rows_per_chunk = run_->parts.rows_per_chunk();
    const std::uint64_t settled = seen.rows_done + seen.rows_failed + seen.rows_blank + run_->in_doubt.rows_out();
    if (!run_->rows_total || rows_per_chunk == 0 || settled >= *run_->rows_total) {
        return;
    }
    const std::uint64_t saved = std::min(counted.rows_duplicate + counted.rows_cached, counted.rows_read);
    const double bought_share =
        counted.rows_read == 0 ? 1.0 : 1.0 - static_cast<double>(saved) / static_cast<double>(counted.rows_read);
    const double rows_left = static_cast<double>(*run_->rows_total - settled) * bought_share;
    policy::forecast_input input;
    input.chunks = static_cast<std::uint64_t>(std::ceil(rows_left / static_cast<double>(rows_per_chunk)));
    input.quota = seen.quota;
    input.period_length = seen.quota.period_length;
    input.now = run_->parts.env->wall_now();
    if (seen.tier_left) {
        input.tier_ends = input.now + *seen.tier_left;
    }
    input.chunks_per_job = policy::chunks_of(policy::rows_in_full_job(run_->packing()), rows_per_chunk);
    // If a limit decided the speed, it says nothing of the service's own.
    if (seen.limited_by.empty()) {
        input.chunks_per_second = seen.rows_per_second * bought_share / static_cast<double>(rows_per_chunk);
    }
    const finish_forecast finish = policy::forecast(input);
    if (finish.unbought == 0 && finish.time_left) {
        seen.time_left = finish.time_left;
        seen.finish_bound = std::string(to_string(finish.bound));
    } else if (seen.tier_left) {
        const auto rows = static_cast<std::uint64_t>(std::ceil(rows_left));
        const std::uint64_t chunks_max = rows / rows_per_chunk + 1;  // The last chunk may have fewer rows.
        seen.rows_beyond_tier = std::min(rows, std::min(finish.unbought, chunks_max) * rows_per_chunk);
    }
}

asio::awaitable<void> reporter::tell_progress() {
    const bulk_options& options = *run_->parts.options;
    if (!options.on_progress) {
        co_return;
    }
    for (;;) {
        const auto interval = std::max(options.progress_interval, progress_interval_min);
        const monotonic_time next = deadline_after(run_->parts.now(), interval);
        const wait_outcome outcome = co_await sleep_until(run_->parts.env, next);
        try {
            options.on_progress(measure());
        } catch (...) {
            run_->end.give_up(thrown_failure("on_progress"));
            co_return;
        }
        if (outcome == wait_outcome::cancelled) {
            co_return;  // The caller was told a last time.
        }
    }
}

std::string reporter::explain_in_doubt() const {
    const std::uint64_t released = run_->in_doubt.rows_released();
    const std::uint64_t open = run_->in_doubt.rows_out() - released;
    if (open == 0) {
        return std::to_string(released) +
               " rows were in doubt; the account's count shows that they were not bought: the next run "
               "buys them";
    }
    const std::string undecidable = run_->charges.why_undecidable();
    return std::to_string(open) +
           " rows are in batches in doubt: they were sent without a usable response, and may exist and be charged" +
           (undecidable.empty() ? "" : "; the account's count cannot decide about them: " + undecidable);
}

std::string reporter::explain(const bulk_report& report) const {
    switch (report.reason) {
        case stop_reason::complete:
            return report.rows_failed == 0
                       ? "every row was embedded"
                       : std::to_string(report.rows_failed) + " rows failed, all others were embedded";
        case stop_reason::parked_batches: return explain_in_doubt();
        case stop_reason::chunk_budget: {
            const std::uint64_t handled =
                report.rows_done + report.rows_failed + report.rows_blank + run_->in_doubt.rows_out();
            const std::uint64_t left = report.rows_total - std::min(handled, report.rows_total);
            return run_->budget.explain(left, run_->parts.rows_per_chunk());
        }
        default: return run_->end.is_stopped() ? run_->end.message() : describe_left(run_->tally.left);
    }
}

// Settles duplicates whose original had no values yet when they were read.
asio::awaitable<void> reporter::settle_duplicates() {
    bool more = true;
    while (more && !run_->end.fatal()) {
        more = false;
        disk_work settle;
        settle.work = [this, &more]() -> result<void> {
            auto settled = run_->reader.settle_duplicates(duplicates_at_once);
            if (!settled) {
                return settled.error();
            }
            more = *settled;
            return {};
        };
        co_await run_->on_disk(std::move(settle));
    }
}

bulk_report reporter::fill_report() {
    run_->in_doubt.lower_estimates(run_->parts.rows_per_chunk());
    const progress last = measure();
    bulk_report report;
    report.rows_total = last.rows_read;
    if (!run_->counted.ended && run_->rows_total) {
        report.rows_total = std::max(report.rows_total, *run_->rows_total);
    }
    report.rows_done_before = run_->counted.rows_done_before;
    report.rows_done = last.rows_done;
    report.rows_failed = last.rows_failed;
    report.rows_blank = last.rows_blank;
    report.rows_duplicate = last.rows_duplicate;
    report.rows_cached = last.rows_cached;
    report.jobs = run_->tally.jobs;
    report.jobs_unverified = run_->tally.jobs_unverified;
    report.jobs_left = run_->tally.left;
    report.checks = run_->tally.checks;
    report.unknown = run_->in_doubt.entries();
    report.chunks_used = run_->budget.used();
    report.chunks_sampled = run_->tally.chunks_sampled;
    report.extra_chunks = run_->budget.extra();
    report.narrowing_chunks = run_->budget.narrowing();
    report.rows_per_chunk = run_->parts.rows_per_chunk();
    report.chunks_naive =
        policy::naive_chunks(report.rows_total, run_->parts.options->rows_per_job, report.rows_per_chunk);
    report.tier_left = last.tier_left;
    report.rows_beyond_tier = last.rows_beyond_tier;
    report.elapsed = last.elapsed;
    report.pauses = last.pauses;
    report.paused = last.paused;
    report.spec_hash = run_->model.spec_hash();
    report.dimensions = run_->model.dimensions();
    if (report.dimensions == 0 && report.rows_cached > 0) {
        report.dimensions = run_->counted.dimensions_of_cached;
    }
    report.cache_trouble = run_->counted.cache_trouble;
    run_->parts.backend->describe_account(report);
    return report;
}

void reporter::decide_reason(bulk_report& report) const {
    const std::vector<job_left>& left = run_->tally.left;
    const in_doubt_batches& in_doubt = run_->in_doubt;
    if (run_->counted.ended && report.rows_done + report.rows_failed + report.rows_blank == report.rows_total) {
        report.reason = stop_reason::complete;
        report.resume_after = run_->end.resume_after();
    } else if (run_->end.is_stopped()) {
        report.reason = run_->end.reason();
        report.resume_after = run_->end.resume_after();
    } else if (!left.empty()) {
        const bool at_fault = std::ranges::any_of(left, &job_left::at_fault);
        report.reason = at_fault ? stop_reason::faulty_jobs : stop_reason::service_busy;
    } else {
        report.reason = stop_reason::parked_batches;
        if (in_doubt.rows_out() > in_doubt.rows_released()) {
            report.resume_after = run_->charges.decidable_in(run_->parts.now(), !left.empty(), run_->times().margin);
        }
    }
}

asio::awaitable<result<bulk_report>> reporter::conclude() {
    co_await settle_duplicates();
    row_sink* const sink = run_->parts.sink;
    disk_work last;
    last.work = [sink] { return sink->flush(); };
    run_->note_facts(last.changes);
    co_await run_->on_disk(std::move(last));
    if (run_->end.fatal()) {
        error why = *run_->end.fatal();
        const std::size_t in_doubt = run_->in_doubt.entries().size();
        if (in_doubt > 0) {
            why.message += "; " + std::to_string(in_doubt) + " batches are in doubt: they may exist and be charged";
        }
        co_return why;
    }
    bulk_report report = fill_report();
    decide_reason(report);
    if (report.reason == stop_reason::complete) {
        disk_work finish;
        finish.work = [sink, rows = report.rows_total, dimensions = report.dimensions] {
            return sink->finish(rows, dimensions);
        };
        const step finished = co_await run_->on_disk(std::move(finish));
        if (finished == step::over) {
            co_return *run_->end.fatal();
        }
    }
    report.message = explain(report);
    co_return report;
}

}  // namespace vembed::bulk
