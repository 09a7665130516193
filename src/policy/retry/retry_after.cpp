#include "policy/retry/retry_after.hpp"

#include <algorithm>
#include <cstdint>

#include "text/http_date.hpp"
#include "text/words.hpp"

namespace vembed::policy {
namespace {

using std::chrono::seconds;

bool all_digits(std::string_view value) {
    return std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
}

// "12", or "12.5", which counts as 13. One side of the point may be empty.
std::optional<seconds> from_digits(std::string_view whole, std::string_view fraction) {
    std::int64_t value = 0;
    for (const char c : whole) {
        value = value * 10 + (c - '0');
        if (value > retry_after_max.count()) {
            return std::nullopt;
        }
    }
    value += fraction.find_first_not_of('0') == std::string_view::npos ? 0 : 1;
    return value <= retry_after_max.count() ? std::optional(seconds{value}) : std::nullopt;
}

std::optional<seconds> from_date(std::string_view text, wall_time now) {
    const auto date = text::parse_http_date(text, now);
    // They are compared before they are subtracted, because the difference of two distant times would overflow.
    if (date && *date <= now) {
        return seconds{0};
    }
    if (!date || *date - retry_after_max > std::chrono::floor<seconds>(now)) {
        return std::nullopt;
    }
    const auto delay = std::chrono::ceil<seconds>(*date - now);
    return delay;
}

}  // namespace

std::optional<seconds> parse_retry_after(std::string_view value, wall_time now) {
    value = text::trimmed(value);
    const std::size_t point = value.find('.');
    const std::string_view whole = value.substr(0, point);
    const std::string_view fraction = point == std::string_view::npos ? "" : value.substr(point + 1);
    const bool is_number = all_digits(whole) && all_digits(fraction) && !(whole.empty() && fraction.empty());
    return is_number ? from_digits(whole, fraction) : from_date(value, now);
}

wall_time present_of(std::optional<std::string_view> date_header, wall_time ours) {
    const auto theirs = date_header ? text::parse_http_date(text::trimmed(*date_header), ours) : std::nullopt;
    return theirs ? wall_time(*theirs) : ours;
}

seconds believed_retry_after(seconds asked, errc because) noexcept {
    constexpr seconds day = std::chrono::hours(24);
    return std::min(asked, because == errc::quota_exceeded ? 32 * day : day);
}

}  // namespace vembed::policy
