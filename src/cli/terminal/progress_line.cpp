#include "cli/terminal/progress_line.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/core.h>

#include "text/text_format.hpp"

namespace vembed::cli {
namespace {

// Joins the parts that are not empty.
std::string joined(const std::vector<std::string>& parts, const char* between = " | ") {
    std::string line;
    for (const std::string& part : parts) {
        if (!part.empty()) {
            line += (line.empty() ? "" : between) + part;
        }
    }
    return line;
}

std::string rows_part(const progress& state) {
    const std::uint64_t ended = state.rows_done + state.rows_failed + state.rows_blank;
    const std::uint64_t total = state.rows_total.value_or(0);
    std::string part = text::short_count(ended) + (state.rows_total ? "/" + text::short_count(total) : "") + " rows";
    if (total > 0) {
        // The share is rounded down, so that 100% is shown only at the end.
        part += fmt::format(" {}%", static_cast<unsigned>(100.0 * static_cast<double>(ended) /
                                                          static_cast<double>(std::max(total, ended))));
    }
    return state.rows_failed == 0 ? part : fmt::format("{} ({} failed)", part, text::short_count(state.rows_failed));
}

std::string used_of(const quota_use& use) {
    return text::short_count(use.used) + "/" + text::short_count(*use.limit);
}

/// A text such as "41/60 chunks/min, day 87/100": the limits that are known; if none is, the chunks used.
std::string quota_part(const progress& state) {
    std::vector<std::string> parts;
    if (state.quota.chunks_minute.limit) {
        parts.push_back(used_of(state.quota.chunks_minute) + " chunks/min");
    }
    if (state.quota.chunks_day.limit) {
        parts.push_back("day " + used_of(state.quota.chunks_day));
    }
    if (state.quota.chunks_period.limit) {
        parts.push_back("period " + used_of(state.quota.chunks_period));
    }
    if (parts.empty() && state.chunks_used > 0) {
        return text::short_count(state.chunks_used) + (state.chunks_used == 1 ? " chunk" : " chunks");
    }
    return joined(parts, ", ");
}

/// A text such as "about 2.1k rows need another tier: the trial ends in 2d 03h".
std::string beyond_tier_part(const progress& state) {
    return fmt::format(
        "about {} {} another tier: the trial {}", text::short_count(state.rows_beyond_tier),
        state.rows_beyond_tier == 1 ? "row needs" : "rows need",
        state.tier_left->count() > 0 ? "ends in " + text::short_duration(*state.tier_left) : "has ended");
}

/// A text such as "done in 2d 03h (day quota)". If the run did not say and no quota limits it, the speed decides.
std::string remaining_part(const progress& state) {
    const std::uint64_t ended = state.rows_done + state.rows_failed + state.rows_blank;
    if (!state.rows_total || *state.rows_total <= ended) {
        return {};
    }
    if (state.rows_beyond_tier > 0 && state.tier_left) {
        return beyond_tier_part(state);
    }
    const std::string bound = state.finish_bound.empty() ? "" : " (" + text::printable(state.finish_bound) + ")";
    if (state.time_left && state.time_left->count() == 0) {
        return {};  // No limit that is known holds it back.
    }
    if (state.time_left) {
        return "done in " + text::short_duration(*state.time_left) + bound;
    }
    const bool quota = state.quota.chunks_day.limit || state.quota.chunks_period.limit;
    if (quota || !(state.rows_per_second > 0)) {
        return {};
    }
    constexpr double longest_s = 1e9;
    const double seconds = static_cast<double>(*state.rows_total - ended) / state.rows_per_second;
    const auto whole = static_cast<std::int64_t>(std::ceil(std::min(seconds, longest_s)));
    return "done in " + text::short_duration(std::chrono::seconds(whole)) + bound;
}

/// A text such as "unreachable for 3min 05s (connection refused), trying again".
std::string outage_part(const progress& state) {
    std::string why = text::printable(state.unreachable_reason);
    const auto is_upper = [&why](std::size_t at) { return why.size() > at && why[at] >= 'A' && why[at] <= 'Z'; };
    if (is_upper(0) && !is_upper(1)) {
        why[0] = static_cast<char>(why[0] - 'A' + 'a');
    }
    return fmt::format("unreachable for {}{}, trying again", text::short_duration(*state.unreachable_for),
                       why.empty() ? "" : " (" + why + ")");
}

}  // namespace

std::string progress_line(const progress& state, std::size_t columns) {
    std::vector<std::string> parts = {rows_part(state), "", "", "", "", "", remaining_part(state), ""};
    if (state.rows_per_second > 0) {
        parts[1] = text::short_rate(state.rows_per_second) + " rows/s";
    }
    if (state.jobs_in_flight > 0) {
        parts[2] = fmt::format("{} in flight", state.jobs_in_flight);
    }
    parts[3] = quota_part(state);
    if (state.batches_unknown > 0) {
        parts[4] = fmt::format("{} in doubt", state.batches_unknown);
    }
    if (state.pauses > 0) {
        parts[5] = fmt::format("{} {}, {}", state.pauses, state.pauses == 1 ? "pause" : "pauses",
                               text::short_duration(state.paused));
    }
    if (!state.limited_by.empty() && state.limited_by != state.finish_bound) {
        parts[7] = "limited by " + text::printable(state.limited_by);
    }
    if (state.unreachable_for) {
        parts[6].clear();  // Nobody can tell when it will be done.
        parts[7] = outage_part(state);
    }
    std::string line = joined(parts);
    // The end stays: people look for how long it takes and what limits it.
    for (const std::size_t spare : {2u, 5u, 1u, 3u}) {
        if (line.size() < columns) {
            break;
        }
        parts[spare].clear();
        line = joined(parts);
    }
    return line;
}

std::string reading_line(std::uint64_t rows, std::uint64_t bytes, std::uint64_t bytes_total,
                         std::chrono::milliseconds elapsed) {
    std::vector<std::string> parts = {text::short_count(rows) + " rows read", "", "", ""};
    const double share = bytes_total == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(bytes_total);
    if (bytes <= bytes_total && bytes_total > 0) {
        parts[1] = fmt::format("{} of {} {}%", text::short_bytes(bytes), text::short_bytes(bytes_total),
                               static_cast<unsigned>(100 * share));
    }
    if (elapsed.count() > 0) {
        parts[2] =
            text::short_rate(1000.0 * static_cast<double>(rows) / static_cast<double>(elapsed.count())) + " rows/s";
    }
    if (share > 0 && share < 1) {
        const double left_ms = static_cast<double>(elapsed.count()) * (1 - share) / share;
        parts[3] = "done in " + text::short_duration(std::chrono::milliseconds(static_cast<std::int64_t>(left_ms)));
    }
    return joined(parts);
}

}  // namespace vembed::cli
