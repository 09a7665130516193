// What a run tells while it runs and at its end.

#include <algorithm>
#include <cmath>
#include <utility>

#include "bulk/engine/engine.hpp"
#include "core/thrown.hpp"
#include "policy/quota/forecast.hpp"

namespace vembed::bulk {
namespace {

// A wish to be told more often than that would leave no time for anything else.
constexpr std::chrono::milliseconds progress_interval_min{10};
// Duplicates that waited for their original, handled in one go.
constexpr std::size_t duplicates_at_once = 4096;

void add(const offline_check& check, check_count& to) {
    const bool first_failed = check.verdict == check_verdict::failed && to.failed == 0;
    const bool first_left = check.verdict == check_verdict::not_checkable && to.reason.empty();
    if (first_failed || first_left) {
        to.reason = check.reason;
    }
    switch (check.verdict) {
        case check_verdict::verified: ++to.verified; break;
        case check_verdict::failed: ++to.failed; break;
        case check_verdict::not_checkable: ++to.not_checkable; return;
    }
    to.basis = check.basis_text();
}

}  // namespace

progress engine::measure() {
    progress seen;
    const monotonic_time now = env_->now();
    const std::uint64_t rows_saved = counted_.rows_copied + counted_.rows_cached;
    seen.rows_done = counted_.rows_done_before + rows_done_now_ + rows_saved - rows_withdrawn_;
    seen.rows_failed = counted_.rows_failed;
    seen.rows_blank = counted_.rows_blank;
    seen.rows_read = counted_.rows_read;
    seen.rows_total = rows_total_;
    seen.rows_duplicate = counted_.rows_duplicate;
    seen.rows_cached = counted_.rows_cached;
    seen.jobs_in_flight = jobs_in_flight_;
    seen.jobs_done = report_.jobs;
    seen.batches_unknown = report_.unknown.size();
    seen.chunks_used = report_.chunks_used;
    seen.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
    rate_.note(now, rows_done_now_ + rows_saved);
    seen.rows_per_second = rate_.rows_per_second();
    backend_->describe_gate(seen);
    seen.pauses -= gate_before_.pauses;
    seen.paused -= gate_before_.paused;
    if (!quota_.empty()) {
        seen.limited_by = waits_for_quota_;
    }
    if (!outage_.empty()) {
        seen.limited_by = "a service that does not answer";
    }
    estimate_finish(seen);
    return seen;
}

// From what the limits allow and what was seen of the service's speed. Rows to come are taken to be like those read.
void engine::estimate_finish(progress& seen) const {
    const std::uint64_t rows_per_chunk = backend_->rows_per_chunk();
    const std::uint64_t settled = seen.rows_done + seen.rows_failed + seen.rows_blank + rows_parked_;
    if (!rows_total_ || rows_per_chunk == 0 || settled >= *rows_total_) {
        return;
    }
    const std::uint64_t saved = counted_.rows_duplicate + counted_.rows_cached;
    const double bought_share =
        counted_.rows_read == 0
            ? 1.0
            : 1.0 - static_cast<double>(std::min(saved, counted_.rows_read)) / static_cast<double>(counted_.rows_read);
    const double rows_left = static_cast<double>(*rows_total_ - settled) * bought_share;
    policy::forecast_input input;
    input.chunks = static_cast<std::uint64_t>(std::ceil(rows_left / static_cast<double>(rows_per_chunk)));
    input.quota = seen.quota;
    input.period_length = seen.quota.period_length;
    input.now = env_->wall_now();
    if (seen.tier_left) {
        input.tier_ends = input.now + *seen.tier_left;
    }
    input.chunks_per_job = policy::chunks_of(policy::rows_in_full_job(packing()), rows_per_chunk);
    // A speed that a limit decided says nothing of the service's own.
    if (seen.limited_by.empty()) {
        input.chunks_per_second = seen.rows_per_second * bought_share / static_cast<double>(rows_per_chunk);
    }
    const policy::finish_forecast finish = policy::forecast(input);
    if (finish.unbought == 0 && finish.time_left) {
        seen.time_left = finish.time_left;
        seen.finish_bound = std::string(to_string(finish.bound));
    } else if (seen.tier_left) {
        const auto rows = static_cast<std::uint64_t>(std::ceil(rows_left));
        const std::uint64_t chunks_max = rows / rows_per_chunk + 1;  // Of which the last may have fewer rows.
        seen.rows_beyond_tier = std::min(rows, std::min(finish.unbought, chunks_max) * rows_per_chunk);
    }
}

namespace {

const job_left* first_at_fault(const std::vector<job_left>& left) {
    const auto bad = std::ranges::find(left, true, &job_left::at_fault);
    return bad == left.end() ? nullptr : &*bad;
}

std::string describe_left(const std::vector<job_left>& left, const job_left* bad) {
    const std::string jobs = std::to_string(left.size()) + (left.size() == 1 ? " job was" : " jobs were");
    if (bad == nullptr) {
        return jobs + " accepted and the rows did not come in time; the next run takes them up (" +
               left.front().job_id + ": " + left.front().reason + ")";
    }
    return jobs +
           " accepted and paid for, and the service's responses about them cannot be used; nothing was bought again, "
           "and the next run asks for them once more (" +
           bad->job_id + ": " + bad->reason + ")";
}

}  // namespace

asio::awaitable<void> engine::tell_progress() {
    if (!options_->on_progress) {
        co_return;
    }
    for (;;) {
        const auto interval = std::max(options_->progress_interval, progress_interval_min);
        const monotonic_time next = deadline_after(env_->now(), interval);
        const wait_outcome outcome = co_await sleep_until(env_, next);
        try {
            options_->on_progress(measure());
        } catch (...) {
            give_up(thrown_failure("on_progress"));
            co_return;
        }
        if (outcome == wait_outcome::cancelled) {
            co_return;  // After a last word.
        }
    }
}

void engine::count(const std::vector<offline_check>& checks) {
    for (const offline_check& check : checks) {
        auto counted = std::ranges::find(report_.checks, check.name, &check_count::name);
        if (counted == report_.checks.end()) {
            counted = report_.checks.emplace(report_.checks.end());
            counted->name = check.name;
        }
        add(check, *counted);
    }
}

// What the cap would have to be for every row that is left. Rows without an answer are counted as charged already.
std::string engine::explain_budget() const {
    const std::uint64_t spent = chunks_spoken_for();
    std::string why = "the run has used " + std::to_string(spent) + " chunks, of " +
                      std::to_string(*options_->max_chunks) + " that it may use in all";
    const std::uint64_t handled = report_.rows_done + report_.rows_failed + report_.rows_blank + rows_parked_;
    if (report_.rows_total > handled) {
        const std::uint64_t size = std::max<std::uint64_t>(backend_->rows_per_chunk(), 1);
        const std::uint64_t most = spent + policy::chunks_of(report_.rows_total - handled, size);
        why += "; to buy every row that is left, allow " + std::to_string(most);
    }
    return why;
}

void engine::explain() {
    std::string& message = report_.message;
    switch (report_.reason) {
        case stop_reason::complete:
            message = report_.rows_failed == 0
                          ? "every row was embedded"
                          : std::to_string(report_.rows_failed) + " rows failed, all others were embedded";
            return;
        case stop_reason::parked_batches:
            message = rows_parked_ > rows_released_
                          ? std::to_string(rows_parked_ - rows_released_) +
                                " rows are in batches that were sent and never answered: they may exist and be charged"
                          : std::to_string(rows_released_) +
                                " rows were sent and never answered; the account's count shows that they were not "
                                "bought: the next run buys them";
            if (rows_parked_ > rows_released_ && !why_undecidable().empty()) {
                message += "; the account's count cannot decide about them: " + why_undecidable();
            }
            return;
        case stop_reason::chunk_budget: message = explain_budget(); return;
        default: message = stop_message_; return;
    }
}

// Duplicates of rows that were not there yet when they were read.
asio::awaitable<void> engine::settle_duplicates() {
    bool more = true;
    while (more && !fatal_) {
        more = false;
        disk_work settle;
        settle.work = [this, &more]() -> result<void> {
            auto settled = reader_.settle_duplicates(duplicates_at_once);
            if (!settled) {
                return settled.error();
            }
            more = *settled;
            return {};
        };
        co_await on_disk(std::move(settle));
    }
}

void engine::fill_report() {
    for (unknown_batch& unknown : report_.unknown) {
        // What was taken before the size of a chunk was known is too high; what was spent by it stays.
        const std::uint64_t most = backend_->chunks_at_most(unknown.rows.size());
        unknown.chunks_estimated =
            unknown.resubmitted ? unknown.chunks_estimated : std::min(unknown.chunks_estimated, most);
    }
    const progress last = measure();
    report_.rows_total = last.rows_read;
    if (!counted_.ended && rows_total_) {
        report_.rows_total = std::max(report_.rows_total, *rows_total_);
    }
    report_.rows_done_before = counted_.rows_done_before;
    report_.rows_done = last.rows_done;
    report_.rows_failed = last.rows_failed;
    report_.rows_blank = last.rows_blank;
    report_.rows_duplicate = last.rows_duplicate;
    report_.rows_cached = last.rows_cached;
    report_.rows_per_chunk = backend_->rows_per_chunk();
    report_.chunks_naive = policy::naive_chunks(report_.rows_total, options_->rows_per_job, report_.rows_per_chunk);
    report_.tier_left = last.tier_left;
    report_.rows_beyond_tier = last.rows_beyond_tier;
    report_.elapsed = last.elapsed;
    report_.pauses = last.pauses;
    report_.paused = last.paused;
    report_.spec_hash = facts_.spec_hash;
    backend_->describe_account(report_);
    report_.cache_trouble = counted_.cache_trouble;
}

asio::awaitable<result<bulk_report>> engine::conclude() {
    co_await settle_duplicates();
    disk_work last;
    last.work = [this] { return sink_->flush(); };
    note_facts(last.changes);
    const bool flushed = co_await on_disk(std::move(last));
    if (fatal_ || !flushed) {
        if (!report_.unknown.empty()) {
            fatal_->message += "; " + std::to_string(report_.unknown.size()) +
                               " batches were sent and never answered: they may exist and be charged";
        }
        co_return *fatal_;
    }
    fill_report();
    if (report_.dimensions == 0 && report_.rows_cached > 0) {
        report_.dimensions = counted_.dimensions_of_cached;
    }
    const bool all =
        counted_.ended && report_.rows_done + report_.rows_failed + report_.rows_blank == report_.rows_total;
    if (all) {
        report_.reason = stop_reason::complete;
        disk_work finish;
        finish.work = [this] { return sink_->finish(report_.rows_total, report_.dimensions); };
        const bool finished = co_await on_disk(std::move(finish));
        if (!finished) {
            co_return *fatal_;
        }
    } else if (!stopped_ && !report_.jobs_left.empty()) {
        const job_left* const bad = first_at_fault(report_.jobs_left);
        report_.reason = bad != nullptr ? stop_reason::faulty_jobs : stop_reason::service_busy;
        stop_message_ = describe_left(report_.jobs_left, bad);
    } else if (!stopped_) {
        report_.reason = stop_reason::parked_batches;
        report_.resume_after = rows_parked_ > rows_released_ ? decidable_in() : std::nullopt;
    }
    explain();
    co_return report_;
}

}  // namespace vembed::bulk
