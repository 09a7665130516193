#include "local_service/target.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace vembed::local_service {
namespace {

constexpr std::size_t segments_max = 12;
constexpr std::size_t segment_bytes_max = 1024;
constexpr std::size_t items_max = 32;

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Takes the text up to `mark` off the front.
std::string_view take_until(std::string_view& rest, char mark) {
    const std::size_t end = std::min(rest.find(mark), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::string_view without_origin(std::string_view target) {
    const std::size_t scheme = target.starts_with("http://") ? 7 : target.starts_with("https://") ? 8 : 0;
    if (scheme == 0) {
        return target;
    }
    const std::size_t slash = target.find('/', scheme);
    return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

std::optional<std::string_view> target_parts::find(std::string_view name) const noexcept {
    const auto found =
        std::find_if(query.begin(), query.end(), [name](const auto& item) { return item.first == name; });
    return found == query.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::optional<std::uint64_t> target_parts::number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                                  std::uint64_t most) const noexcept {
    const std::optional<std::string_view> text = find(name);
    if (!text) {
        return otherwise;
    }
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failure != std::errc() || end != text->data() + text->size() || value < least) {
        return std::nullopt;
    }
    return std::min(value, most);
}

std::optional<target_parts> read_target(std::string_view target) {
    target = without_origin(target);
    if (target.empty() || target.front() != '/') {
        return std::nullopt;
    }
    target_parts parts;
    std::string_view query = target;
    std::string_view path = take_until(query, '?');
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        std::optional<std::string> segment = percent_decode(path.substr(0, end));
        path.remove_prefix(end);
        if (!segment || segment->size() > segment_bytes_max || parts.segments.size() == segments_max) {
            return std::nullopt;
        }
        parts.segments.push_back(*std::move(segment));
    }
    while (!query.empty()) {
        std::string_view value = take_until(query, '&');
        const std::string_view name = take_until(value, '=');
        std::optional<std::string> decoded_name = percent_decode(name);
        std::optional<std::string> decoded_value = percent_decode(value);
        if (!decoded_name || !decoded_value || parts.query.size() == items_max) {
            return std::nullopt;
        }
        parts.query.emplace_back(*std::move(decoded_name), *std::move(decoded_value));
    }
    return parts;
}

}  // namespace vembed::local_service
