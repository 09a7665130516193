#include "policy/packing/spec_chunk_size.hpp"

#include <algorithm>
#include <charconv>

#include "policy/input/input_rules.hpp"

namespace vembed::policy {
namespace {

constexpr std::string_view white = " \t\r";

std::string_view trim(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
    return text.substr(0, text.find_last_not_of(white) + 1);
}

// The line without its comment.
std::string_view content(std::string_view line) noexcept {
    if (line.starts_with('#')) {
        return {};
    }
    return line.substr(0, line.find(" #"));
}

// The text behind `key:`; nothing if the line has another key.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) noexcept {
    text = trim(text);
    for (const std::string_view quote : {"\"", "'", ""}) {
        const std::string_view inner = text.substr(std::min(quote.size(), text.size()));
        if (!text.starts_with(quote) || !inner.starts_with(key) || !inner.substr(key.size()).starts_with(quote)) {
            continue;
        }
        const std::string_view rest = trim(inner.substr(key.size() + quote.size()));
        if (rest.starts_with(':')) {
            return trim(rest.substr(1));
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && value >= 1 && value <= inputs_max ? std::optional(value) : std::nullopt;
}

// {chunk_size: 5, other: x}
std::optional<std::string_view> value_in_braces(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
        return std::nullopt;
    }
    for (std::string_view rest = text.substr(1, text.size() - 2); !rest.empty();) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        if (const auto value = value_of(rest.substr(0, end), "chunk_size")) {
            return value;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> chunk_size_of_spec(std::string_view spec_yaml) noexcept {
    std::optional<std::string_view> found;
    bool within = false;
    std::size_t times = 0;
    while (!spec_yaml.empty()) {
        const std::size_t end = std::min(spec_yaml.find('\n'), spec_yaml.size());
        const std::string_view line = content(spec_yaml.substr(0, end));
        spec_yaml.remove_prefix(std::min(end + 1, spec_yaml.size()));
        if (trim(line).empty()) {
            continue;
        }
        std::optional<std::string_view> value;
        if (white.find(line.front()) == std::string_view::npos) {
            const auto chunking = value_of(line, "chunking");
            within = chunking && chunking->empty();
            value = chunking ? value_in_braces(*chunking) : std::nullopt;
        } else if (within) {
            value = value_of(line, "chunk_size");
        }
        found = value ? value : found;
        times += value ? 1 : 0;
    }
    return times == 1 ? number(*found) : std::nullopt;
}

}  // namespace vembed::policy
