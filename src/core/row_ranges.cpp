#include "core/row_ranges.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vembed::core {
namespace {

// Removes a number without sign or leading zeros, and the character after it, from the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text, char terminator) {
    const std::size_t length = std::min(text.find(terminator), text.size());
    const std::string_view digits = text.substr(0, length);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        (digits.front() == '0' && digits.size() > 1)) {
        return std::nullopt;
    }
    text.remove_prefix(std::min(length + 1, text.size()));
    return number;
}

}  // namespace

row_ranges ranges_of(std::span<const std::uint64_t> indices) {
    row_ranges ranges;
    for (const std::uint64_t index : indices) {
        if (!ranges.empty() && ranges.back().second == index) {
            ++ranges.back().second;
        } else {
            ranges.emplace_back(index, index + 1);
        }
    }
    return ranges;
}

std::vector<std::uint64_t> indices_of(const row_ranges& ranges) {
    std::vector<std::uint64_t> rows;
    for (const auto& [first, last] : ranges) {
        for (std::uint64_t row = first; row < last; ++row) {
            rows.push_back(row);
        }
    }
    return rows;
}

std::uint64_t rows_in(const row_ranges& ranges) noexcept {
    std::uint64_t rows = 0;
    for (const auto& [first, end] : ranges) {
        rows += end - first;
    }
    return rows;
}

bool is_well_formed(const row_ranges& ranges) noexcept {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (ranges[i].first >= ranges[i].second || (i > 0 && ranges[i].first <= ranges[i - 1].second)) {
            return false;
        }
    }
    return true;
}

std::string to_text(const row_ranges& ranges) {
    std::string out;
    for (const auto& [first, last] : ranges) {
        out.append(out.empty() ? "" : ",").append(std::to_string(first));
        out.append("-").append(std::to_string(last));
    }
    return out;
}

std::optional<row_ranges> ranges_from_text(std::string_view text) {
    row_ranges ranges;
    if (text.ends_with(',')) {
        return std::nullopt;
    }
    while (!text.empty()) {
        const auto first = take_number(text, '-');
        const auto last = first ? take_number(text, ',') : std::nullopt;
        if (!last) {
            return std::nullopt;
        }
        ranges.emplace_back(*first, *last);
    }
    return is_well_formed(ranges) ? std::optional(std::move(ranges)) : std::nullopt;
}

}  // namespace vembed::core
