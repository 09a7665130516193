#include "text/text_format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "core/redaction.hpp"
#include "core/row_ranges.hpp"
#include "text/utf8.hpp"

namespace vembed::text {
namespace {

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

/// The largest of the units in which each of the sizes looks different; in bytes they always do.
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

/// Escapes control characters; `keep_lines` leaves line feeds.
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

std::string rounded_bytes(std::uint64_t bytes, bool up) {
    constexpr std::array<const char*, 5> units = {"kB", "MB", "GB", "TB", "PB"};
    if (bytes < 1000) {
        return std::to_string(bytes) + " B";
    }
    double tenths = static_cast<double>(bytes) / 100;
    std::size_t unit = 0;
    while (tenths >= 10'000 && unit + 1 < units.size()) {
        tenths /= 1000;
        ++unit;
    }
    std::array<char, 32> text{};
    const int size = std::snprintf(text.data(), text.size(), "%.1f %s",
                                   (up ? std::ceil(tenths) : std::floor(tenths)) / 10, units.at(unit));
    return {text.data(), static_cast<std::size_t>(size)};
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

std::string describe_rows(const std::vector<std::uint64_t>& rows, std::size_t shown_max) {
    return describe_ranges(core::ranges_of(rows), shown_max);
}

std::string describe_ranges(const row_ranges& ranges, std::size_t shown_max) {
    const std::uint64_t rows = core::rows_in(ranges);
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

std::string printable(std::string_view text) {
    return escaped(text, false);
}

std::string printable_lines(std::string_view text) {
    return escaped(text, true);
}

std::string utf8_text(std::string_view text) {
    std::string out;
    for (;;) {
        const auto bad = text::first_invalid_utf8(text);
        out.append(text.substr(0, bad.value_or(text.size())));
        if (!bad) {
            return out;
        }
        out += utf8_replacement;
        text.remove_prefix(*bad + 1);
    }
}

}  // namespace vembed::text
