#include "text/iso_time.hpp"

#include <array>
#include <cstdio>

namespace vembed::text {
namespace {

/// Parses the text from its front.
class time_reader {
public:
    explicit time_reader(std::string_view text) : rest_(text) {}

    std::optional<int> digits(std::size_t count) {
        if (rest_.size() < count) {
            return std::nullopt;
        }
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') {
                return std::nullopt;
            }
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }

    bool one_of(std::string_view characters) {
        if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    /// Reads ".123456", at least one digit; the result is in milliseconds.
    std::optional<int> fraction() {
        int value = 0;
        int weight = 100;
        bool any = false;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
            value += weight * (rest_.front() - '0');
            weight /= 10;
            any = true;
        }
        return any ? std::optional(value) : std::nullopt;
    }

    [[nodiscard]] bool ended() const noexcept { return rest_.empty(); }
    [[nodiscard]] bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }

private:
    std::string_view rest_;
};

std::optional<std::chrono::sys_days> read_date(time_reader& in) {
    const auto year = in.digits(4);
    const bool dash = in.one_of("-");
    const auto month = in.digits(2);
    const bool second_dash = in.one_of("-");
    const auto day = in.digits(2);
    if (!year || !dash || !month || !second_dash || !day) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day)));
    return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

std::optional<std::chrono::milliseconds> read_clock(time_reader& in) {
    const auto hour = in.digits(2);
    const bool colon = in.one_of(":");
    const auto minute = in.digits(2);
    const bool second_colon = in.one_of(":");
    const auto second = in.digits(2);
    if (!hour || !colon || !minute || !second_colon || !second) {
        return std::nullopt;
    }
    // Second 60 is a leap second; it counts as the second after it.
    if (*hour > 23 || *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    std::chrono::milliseconds out =
        std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
    if (in.one_of(".,")) {
        const auto fraction = in.fraction();
        if (!fraction) {
            return std::nullopt;
        }
        out += std::chrono::milliseconds(*fraction);
    }
    return out;
}

std::optional<std::chrono::minutes> read_offset(time_reader& in) {
    if (in.one_of("Zz")) {
        return std::chrono::minutes(0);
    }
    const bool west = in.next_is('-');
    if (!in.one_of("+-")) {
        return std::nullopt;
    }
    const auto hours = in.digits(2);
    const bool colon = in.one_of(":");
    const auto minutes = in.digits(2);
    if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    const std::chrono::minutes out = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return west ? -out : out;
}

// Everything before the zone.
std::optional<wall_time> read_local(time_reader& in) {
    const auto date = read_date(in);
    if (!date || !in.one_of("Tt ")) {
        return std::nullopt;
    }
    const auto clock = read_clock(in);
    return clock ? std::optional(wall_time(*date) + *clock) : std::nullopt;
}

}  // namespace

std::optional<wall_time> parse_iso_time(std::string_view text) noexcept {
    time_reader in(text);
    const auto local = read_local(in);
    const auto offset = local ? read_offset(in) : std::nullopt;
    return offset && in.ended() ? std::optional(*local - *offset) : std::nullopt;
}

std::optional<wall_time> parse_loose_iso_time(std::string_view text) noexcept {
    time_reader in(text);
    const auto local = read_local(in);
    if (!local || in.ended()) {
        return local;
    }
    const bool is_utc = in.next_is('Z') || in.next_is('z');
    const auto offset = read_offset(in);
    if (!is_utc && !in.ended()) {
        (void)in.one_of("Zz");
    }
    return offset && in.ended() ? std::optional(*local - *offset) : std::nullopt;
}

std::string format_iso_time(wall_time at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(at - day));
    std::array<char, 64> text{};
    const int size = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace vembed::text
