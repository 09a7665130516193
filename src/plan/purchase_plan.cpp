#include "plan/purchase_plan.hpp"

#include <algorithm>
#include <numeric>

#include "cyberian/wire/tier_end.hpp"
#include "text/iso_time.hpp"
#include "text/text_format.hpp"

namespace vembed::plan {
namespace {

using std::chrono::days;
using std::chrono::seconds;

/// "2026-01-31".
std::string date_of(wall_time at) {
    return text::format_iso_time(at).substr(0, 10);
}

std::string share(std::uint64_t chunks, std::uint64_t of) {
    if (of == 0) {
        return "more than all";
    }
    const double percent = 100.0 * static_cast<double>(chunks) / static_cast<double>(of);
    return (percent < 0.05 ? std::string("under 0.1") : text::short_rate(percent)) + "%";
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
}

/// "10% of the day quota of 1,000"; empty for bounds that have no quota.
std::string share_of_quota(finish_bound bound, std::uint64_t chunks, const account_info& account) {
    const account_limits& limits = account.limits;
    switch (bound) {
        case finish_bound::chunks_minute: return text::grouped(limits.chunks_per_minute.value_or(0));
        case finish_bound::chunks_day: {
            const std::uint64_t quota = limits.chunks_per_day.value_or(0);
            return share(chunks, quota) + " of " + text::grouped(quota);
        }
        case finish_bound::chunks_period: {
            const std::uint64_t quota = limits.chunks_per_period.value_or(0);
            const std::uint64_t left = quota - std::min(quota, account.chunks_consumed_period);
            return share(chunks, left) + " of the " + text::grouped(left) + " left of " + text::grouped(quota);
        }
        default: return {};
    }
}

std::string limit_line(const forecast_limit& limit, std::uint64_t chunks, const account_info& account) {
    std::string line = "  " + padded(std::string(to_string(limit.bound)), 17) + " ";
    if (const std::string quota = share_of_quota(limit.bound, chunks, account); !quota.empty()) {
        line += quota + ": ";
    }
    if (!limit.time_left) {
        return line + "buys " + text::grouped(limit.bought) + " of " + text::counted(chunks, "chunk", "chunks");
    }
    return line + (limit.time_left->count() == 0 ? std::string("at once")
                                                 : "done in " + text::short_duration(*limit.time_left));
}

std::string days_line(const forecast_days& group, std::uint64_t rows_per_chunk, wall_time now) {
    const wall_time first = now + days(group.first_day - 1);
    const wall_time last = now + days(group.last_day - 1);
    const bool one = group.first_day == group.last_day;
    std::string line =
        one ? "    day " + std::to_string(group.first_day) + " (from " + text::format_iso_time(first) + ")"
            : "    days " + std::to_string(group.first_day) + "-" + std::to_string(group.last_day) + " (" +
                  date_of(first) + " to " + date_of(last) + ")";
    return line + ": " + text::counted(group.chunks_a_day, "chunk", "chunks") + ", up to " +
           text::counted(group.chunks_a_day * rows_per_chunk, "row", "rows") + (one ? "" : " a day");
}

void describe_days(std::vector<std::string>& out, const purchase& of, wall_time now) {
    constexpr std::size_t shown_max = 12;
    const auto& groups = of.finish->days;
    for (std::size_t i = 0; i < groups.size() && i < shown_max; ++i) {
        out.push_back(days_line(groups[i], of.rows_per_chunk, now));
    }
    if (groups.size() > shown_max) {
        out.emplace_back("    … and later days");
    }
}

std::string unbought_line(const purchase& of, const account_info& account) {
    const std::uint64_t rows = of.rows - of.rows_bought();
    std::string line = "  the other " + text::counted(of.finish->unbought, "chunk", "chunks") + ", " +
                       text::counted(rows, "row", "rows") + (rows == 1 ? ", needs" : ", need") + " another tier";
    if (account.trial_ends_at && account.effective_tier == "trial") {
        line += ": the trial ends " + text::printable(*account.trial_ends_at);
    }
    return line;
}

void describe_finish(std::vector<std::string>& out, const purchase& of, const account_info& account, wall_time now) {
    const finish_forecast& finish = *of.finish;
    for (const forecast_limit& limit : finish.limits) {
        out.push_back(limit_line(limit, of.chunks, account));
    }
    const std::string bound = finish.bound == finish_bound::none
                                  ? "; no limit of the account binds"
                                  : "; the limit that binds: " + std::string(to_string(finish.bound));
    if (finish.unbought > 0) {
        out.push_back("  this tier buys " + text::grouped(finish.bought) + " of the " +
                      text::counted(of.chunks, "chunk", "chunks") + ": " + text::grouped(of.rows_bought()) +
                      " of the " + text::counted(of.rows, "row", "rows") + bound);
        describe_days(out, of, now);
        out.push_back(unbought_line(of, account));
        return;
    }
    if (!finish.time_left) {
        out.emplace_back("  no limit is known: the service's speed decides");
        return;
    }
    if (finish.time_left->count() == 0) {
        out.emplace_back("  done as fast as the service computes: no limit of the account binds");
        return;
    }
    out.push_back("  done in " + text::short_duration(*finish.time_left) + " at the earliest, " +
                  text::format_iso_time(now + *finish.time_left) + bound);
    if (!finish.days.empty() && finish.days.back().last_day > 1) {
        describe_days(out, of, now);
    }
}

}  // namespace

void purchase_counter::add(std::uint64_t bytes) {
    sizes_.push_back(bytes);
    bytes_ += bytes;
    ++rows_;
    if (sizes_.size() >= policy::rows_in_full_job(limits_) || bytes_ > limits_.bytes) {
        take(false);
    }
}

void purchase_counter::finish() {
    take(true);
}

void purchase_counter::take(bool ended) {
    while (!sizes_.empty()) {
        const std::size_t rows = policy::rows_to_take(sizes_, limits_, ended);
        if (rows == 0) {
            return;
        }
        ++jobs_;
        chunks_ += policy::chunks_of(rows, limits_.rows_per_chunk);
        const auto end = sizes_.begin() + static_cast<std::ptrdiff_t>(rows);
        bytes_ = std::accumulate(end, sizes_.end(), std::uint64_t{0});
        sizes_.erase(sizes_.begin(), end);
    }
}

policy::packing_limits packing_limits_of(std::uint64_t rows_per_job, std::uint64_t rows_per_chunk,
                                         const account_limits& limits) {
    policy::packing_limits out;
    out.rows = std::min(rows_per_job, limits.max_inputs.value_or(rows_per_job));
    out.rows_per_chunk = rows_per_chunk;
    out.chunks = limits.max_chunks_per_request;
    return out;
}

policy::forecast_input forecast_input_of(const account_info& account, wall_time now) {
    policy::forecast_input out;
    out.now = now;
    out.quota.chunks_minute.limit = account.limits.chunks_per_minute;
    out.quota.chunks_day.limit = account.limits.chunks_per_day;
    out.quota.chunks_period.limit = account.limits.chunks_per_period;
    out.quota.chunks_period.used = account.chunks_consumed_period;
    constexpr std::uint64_t days_max = 36'500;
    if (account.limits.period_length_days) {
        out.period_length = days(std::min(*account.limits.period_length_days, days_max));
    }
    const auto began = text::parse_iso_time(account.chunks_period_started_at.value_or(""));
    if (began && out.period_length) {
        out.quota.period_left = std::max(seconds(0), std::chrono::ceil<seconds>(*began + *out.period_length - now));
    }
    out.tier_ends = cyberian::tier_end_of(account);
    return out;
}

purchase purchase_of(const purchase_counter& counted_rows, std::uint64_t rows_wanted, std::uint64_t rows_per_job) {
    purchase out;
    out.rows_per_chunk = counted_rows.limits().rows_per_chunk;
    out.rows = counted_rows.rows();
    out.jobs = counted_rows.jobs();
    out.chunks = counted_rows.chunks();
    const std::uint64_t all = policy::naive_chunks(rows_wanted, rows_per_job, out.rows_per_chunk);
    const std::uint64_t bought = policy::naive_chunks(out.rows, rows_per_job, out.rows_per_chunk);
    out.saved_by_packing = bought - std::min(bought, out.chunks);
    out.saved_by_reuse = all - std::min(all, bought);
    return out;
}

std::vector<std::string> describe_purchase(const purchase& of, const account_info* account, wall_time now) {
    std::vector<std::string> out;
    out.push_back("at " + text::counted(of.rows_per_chunk, "row", "rows") + " a chunk: " +
                  text::counted(of.chunks, "chunk", "chunks") + " in " + text::counted(of.jobs, "job", "jobs"));
    if (of.saved_by_packing > 0 || of.saved_by_reuse > 0) {
        out.push_back("  " + padded("saved", 17) + " " + text::counted(of.saved_by_reuse, "chunk", "chunks") +
                      " by not buying a text twice, " + text::grouped(of.saved_by_packing) + " by filling chunks");
    }
    if (account != nullptr && of.finish) {
        describe_finish(out, of, *account, now);
    }
    return out;
}

}  // namespace vembed::plan

namespace vembed {

std::uint64_t purchase::rows_bought() const noexcept {
    if (!finish || finish->unbought == 0) {
        return rows;
    }
    return std::min(rows, finish->bought * rows_per_chunk);
}

}  // namespace vembed
