#include "cli/text_format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "bulk/row_ranges.hpp"
#include "core/redaction.hpp"
#include "policy/utf8.hpp"

namespace vembed::cli {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// A number with at most one decimal: "1.2", "12", "480".
std::string three_digits(double value) {
    std::array<char, 32> text{};
    const bool decimal = value < 9.95;
    const int size = std::snprintf(text.data(), text.size(), decimal ? "%.1f" : "%.0f", value);
    return {text.data(), static_cast<std::size_t>(size)};
}

struct named_unit {
    std::uint64_t bytes;
    const char* name;
};
constexpr std::array<named_unit, 4> whole_byte_units = {
    {{1'000'000'000, " GB"}, {1'000'000, " MB"}, {1000, " kB"}, {1, " B"}}};

/// "4,212 MB".
std::string whole_units(std::uint64_t bytes, std::size_t unit) {
    const auto& [size, name] = whole_byte_units.at(unit);
    return grouped(bytes / size + (bytes % size * 2 >= size ? 1 : 0)) + name;
}

/// The largest of those units in which each of the sizes looks different; in bytes they do.
std::size_t unit_that_tells_apart(const std::set<std::uint64_t>& sizes) {
    for (std::size_t unit = 0; unit + 1 < whole_byte_units.size(); ++unit) {
        std::set<std::string> texts;
        for (const std::uint64_t size : sizes) {
            texts.insert(whole_units(size, unit));
        }
        if (texts.size() == sizes.size()) {
            return unit;
        }
    }
    return whole_byte_units.size() - 1;
}

/// "3min 05s".
std::string two_parts(std::int64_t large, const char* large_unit, std::int64_t small, const char* small_unit) {
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(), text.size(), "%lld%s %02lld%s", static_cast<long long>(large),
                                   large_unit, static_cast<long long>(small), small_unit);
    return {text.data(), static_cast<std::size_t>(size)};
}

/// Escapes control characters; `keep_lines` lets line feeds stand.
std::string escaped(std::string_view text, bool keep_lines) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto after = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
        // U+0080 to U+009F are control characters too.
        const bool control = byte < 0x20 || byte == 0x7f || (byte == 0xc2 && after >= 0x80 && after < 0xa0);
        if (control && !(keep_lines && text[i] == '\n')) {
            out.append("\\x").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
        } else {
            out += text[i];
        }
    }
    return masked_keys(out);
}

// What is not empty, with bars between.
std::string joined(const std::vector<std::string>& parts) {
    std::string line;
    for (const std::string& part : parts) {
        if (!part.empty()) {
            line += (line.empty() ? "" : " | ") + part;
        }
    }
    return line;
}

std::string rows_part(const progress& state) {
    const std::uint64_t ended = state.rows_done + state.rows_failed + state.rows_blank;
    std::string part = short_count(ended);
    if (state.rows_total) {
        part += "/" + short_count(*state.rows_total);
    }
    part += " rows";
    if (state.rows_total && *state.rows_total > 0) {
        // Rounded down: 100% is said when it is so.
        const auto percent = static_cast<unsigned>(100.0 * static_cast<double>(ended) /
                                                   static_cast<double>(std::max(*state.rows_total, ended)));
        part += " " + std::to_string(percent) + "%";
    }
    if (state.rows_failed > 0) {
        part += " (" + short_count(state.rows_failed) + " failed)";
    }
    return part;
}

std::string used_of(const quota_use& use) {
    return short_count(use.used) + "/" + short_count(*use.limit);
}

/// "41/60 chunks/min, day 87/100": the limits that are known; where none is, the chunks used.
std::string quota_part(const progress& state) {
    std::string part;
    const auto add = [&part](const std::string& text) { part += (part.empty() ? "" : ", ") + text; };
    if (state.quota.chunks_minute.limit) {
        add(used_of(state.quota.chunks_minute) + " chunks/min");
    }
    if (state.quota.chunks_day.limit) {
        add("day " + used_of(state.quota.chunks_day));
    }
    if (state.quota.chunks_period.limit) {
        add("period " + used_of(state.quota.chunks_period));
    }
    if (part.empty() && state.chunks_used > 0) {
        part = short_count(state.chunks_used) + (state.chunks_used == 1 ? " chunk" : " chunks");
    }
    return part;
}

/// "about 2.1k rows need another tier: the trial ends in 2d 03h".
std::string beyond_tier_part(const progress& state) {
    return "about " + short_count(state.rows_beyond_tier) +
           (state.rows_beyond_tier == 1 ? " row needs another tier: " : " rows need another tier: ") +
           (state.tier_left->count() > 0 ? "the trial ends in " + short_duration(*state.tier_left)
                                         : "the trial has ended");
}

/// "done in 2d 03h (day quota)". Where the run did not say and no quota is in the way, by the speed alone.
std::string remaining_part(const progress& state) {
    const std::uint64_t ended = state.rows_done + state.rows_failed + state.rows_blank;
    if (!state.rows_total || *state.rows_total <= ended) {
        return {};
    }
    if (state.rows_beyond_tier > 0 && state.tier_left) {
        return beyond_tier_part(state);
    }
    const std::string bound = state.finish_bound.empty() ? "" : " (" + printable(state.finish_bound) + ")";
    if (state.time_left && state.time_left->count() == 0) {
        return {};  // Nothing that is known holds it back.
    }
    if (state.time_left) {
        return "done in " + short_duration(*state.time_left) + bound;
    }
    const bool quota = state.quota.chunks_day.limit || state.quota.chunks_period.limit;
    if (quota || !(state.rows_per_second > 0)) {
        return {};
    }
    constexpr double longest_s = 1e9;
    const double seconds = static_cast<double>(*state.rows_total - ended) / state.rows_per_second;
    const auto whole = static_cast<std::int64_t>(std::ceil(std::min(seconds, longest_s)));
    return "done in " + short_duration(std::chrono::seconds(whole)) + bound;
}

/// "unreachable for 3min 05s (connection refused), trying again".
std::string outage_part(const progress& state) {
    std::string why = printable(state.unreachable_reason);
    const auto is_upper = [&why](std::size_t at) { return why.size() > at && why[at] >= 'A' && why[at] <= 'Z'; };
    if (is_upper(0) && !is_upper(1)) {
        why[0] = static_cast<char>(why[0] - 'A' + 'a');
    }
    return "unreachable for " + short_duration(*state.unreachable_for) + (why.empty() ? "" : " (" + why + ")") +
           ", trying again";
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) {
        digits.insert(i - 3, 1, ',');
    }
    return digits;
}

std::string counted(std::uint64_t number, const char* one, const char* more) {
    return grouped(number) + " " + (number == 1 ? one : more);
}

std::string short_count(std::uint64_t number) {
    if (number < 10'000) {
        return std::to_string(number);
    }
    if (number < 1'000'000) {
        return std::to_string(number / 1000) + "k";
    }
    const bool giga = number >= 1'000'000'000;
    return three_digits(static_cast<double>(number) / (giga ? 1e9 : 1e6)) + (giga ? "G" : "M");
}

std::string short_bytes(std::uint64_t bytes) {
    static constexpr std::array<const char*, 4> units = {"kB", "MB", "GB", "TB"};
    if (bytes < 1000) {
        return std::to_string(bytes) + " B";
    }
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return three_digits(value) + " " + units[unit];
}

std::vector<std::string> short_bytes_apart(const std::vector<std::uint64_t>& sizes) {
    std::map<std::string, std::set<std::uint64_t>> alike;
    for (const std::uint64_t size : sizes) {
        alike[short_bytes(size)].insert(size);
    }
    std::map<std::uint64_t, std::string> told;
    for (const auto& [text, same] : alike) {
        const std::size_t unit = same.size() == 1 ? 0 : unit_that_tells_apart(same);
        for (const std::uint64_t size : same) {
            told[size] = same.size() == 1 ? text : whole_units(size, unit);
        }
    }
    std::vector<std::string> texts;
    texts.reserve(sizes.size());
    for (const std::uint64_t size : sizes) {
        texts.push_back(told[size]);
    }
    return texts;
}

std::string short_duration(std::chrono::milliseconds duration) {
    const std::int64_t milliseconds = std::max<std::int64_t>(duration.count(), 0);
    const std::int64_t seconds = milliseconds / 1000;
    if (milliseconds > 0 && seconds == 0) {
        return three_digits(std::max(static_cast<double>(milliseconds) / 1000, 0.1)) + " s";
    }
    if (seconds < 60) {
        return std::to_string(seconds) + " s";
    }
    if (seconds < 3600) {
        return two_parts(seconds / 60, "min", seconds % 60, "s");
    }
    if (seconds < 86'400) {
        return two_parts(seconds / 3600, "h", seconds / 60 % 60, "min");
    }
    return two_parts(seconds / 86'400, "d", seconds / 3600 % 24, "h");
}

std::string short_rate(double per_second) {
    if (!(per_second > 0)) {
        return "0";
    }
    return per_second < 9.95 ? three_digits(per_second)
                             : grouped(static_cast<std::uint64_t>(std::llround(std::min(per_second, 1e18))));
}

std::string progress_line(const progress& state, std::size_t columns) {
    std::vector<std::string> parts = {rows_part(state), "", "", "", "", "", remaining_part(state), ""};
    if (state.rows_per_second > 0) {
        parts[1] = short_rate(state.rows_per_second) + " rows/s";
    }
    if (state.jobs_in_flight > 0) {
        parts[2] = std::to_string(state.jobs_in_flight) + " in flight";
    }
    parts[3] = quota_part(state);
    if (state.batches_unknown > 0) {
        parts[4] = std::to_string(state.batches_unknown) + " unanswered";
    }
    if (state.pauses > 0) {
        parts[5] = std::to_string(state.pauses) + (state.pauses == 1 ? " pause, " : " pauses, ") +
                   short_duration(state.paused);
    }
    if (!state.limited_by.empty() && state.limited_by != state.finish_bound) {
        parts[7] = "limited by " + printable(state.limited_by);
    }
    if (state.unreachable_for) {
        parts[6].clear();  // When all is done nothing tells.
        parts[7] = outage_part(state);
    }
    std::string line = joined(parts);
    // How long it takes and what decides that, at the end, is what people look for.
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
    std::vector<std::string> parts = {short_count(rows) + " rows read", "", "", ""};
    const double share = bytes_total == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(bytes_total);
    if (bytes <= bytes_total && bytes_total > 0) {
        parts[1] = short_bytes(bytes) + " of " + short_bytes(bytes_total) + " " +
                   std::to_string(static_cast<unsigned>(100 * share)) + "%";
    }
    if (elapsed.count() > 0) {
        parts[2] = short_rate(1000.0 * static_cast<double>(rows) / static_cast<double>(elapsed.count())) + " rows/s";
    }
    if (share > 0 && share < 1) {
        const double left_ms = static_cast<double>(elapsed.count()) * (1 - share) / share;
        parts[3] = "done in " + short_duration(std::chrono::milliseconds(static_cast<std::int64_t>(left_ms)));
    }
    return joined(parts);
}

std::string describe_rows(const std::vector<std::uint64_t>& rows, std::size_t shown_max) {
    return describe_ranges(bulk::ranges_of(rows), shown_max);
}

std::string describe_ranges(const row_ranges& ranges, std::size_t shown_max) {
    const std::uint64_t rows = bulk::rows_in(ranges);
    std::string out = rows == 1 ? "row " : "rows ";
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (i == shown_max) {
            return out + ", … (" + grouped(rows) + " rows in all)";
        }
        const auto& [first, end] = ranges[i];
        out += (i == 0 ? "" : ", ") + std::to_string(first);
        if (end - first > 1) {
            out += "-" + std::to_string(end - 1);
        }
    }
    return out;
}

std::string masked_keys(std::string_view text) {
    return vembed::masked_keys(text);
}

std::string printable(std::string_view text) {
    return escaped(text, false);
}

std::string printable_lines(std::string_view text) {
    return escaped(text, true);
}

std::string utf8_text(std::string_view text) {
    std::string out;
    for (;;) {
        const auto bad = policy::first_invalid_utf8(text);
        out.append(text.substr(0, bad.value_or(text.size())));
        if (!bad) {
            return out;
        }
        out += replacement;
        text.remove_prefix(*bad + 1);
    }
}

}  // namespace vembed::cli
