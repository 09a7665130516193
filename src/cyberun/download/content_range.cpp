#include "cyberun/download/content_range.hpp"

#include <algorithm>
#include <charconv>

#include "text/words.hpp"

namespace vembed::cyberun {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view digits) noexcept {
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [read, problem] = std::from_chars(digits.data(), end, value);
    return problem == std::errc() && read == end ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<content_range> parse_content_range(std::string_view value) noexcept {
    constexpr std::string_view unit = "bytes";
    value = text::trimmed(value);
    if (value.size() <= unit.size() || !text::same_word(value.substr(0, unit.size()), unit) ||
        value[unit.size()] != ' ') {
        return std::nullopt;
    }
    value.remove_prefix(unit.size() + 1);
    const std::size_t slash = value.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view part = value.substr(0, slash);
    const std::string_view whole = value.substr(slash + 1);
    content_range made;
    made.total = whole_number(whole);
    if (!made.total && whole != "*") {
        return std::nullopt;
    }
    if (part == "*") {
        return made.total ? std::optional(made) : std::nullopt;
    }
    const std::size_t dash = std::min(part.find('-'), part.size());
    made.first = whole_number(part.substr(0, dash));
    made.last = whole_number(part.substr(std::min(dash + 1, part.size())));
    const bool is_range = made.first && made.last && *made.first <= *made.last;
    return is_range && (!made.total || *made.last < *made.total) ? std::optional(made) : std::nullopt;
}

}  // namespace vembed::cyberun
