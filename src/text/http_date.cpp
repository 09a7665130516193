#include "text/http_date.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

namespace vembed::text {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> short_weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                           "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr wall_time earliest = sys_days{year{0} / January / 1};
constexpr wall_time latest = sys_days{year{10000} / January / 1} - milliseconds{1};

// The numbers of a date as written. None of them has been checked.
struct written_date {
    int year = 0;
    int month = 0;  // 0 is January.
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

// Parses a text from the front. After the first part that does not fit, nothing fits any more.
class reader {
public:
    explicit reader(std::string_view text) : rest_(text) {}

    void literal(std::string_view expected) {
        if (!rest_.starts_with(expected)) {
            fits_ = false;
            return;
        }
        rest_.remove_prefix(expected.size());
    }

    int digits(std::size_t count) {
        if (rest_.size() < count) {
            fits_ = false;
            return 0;
        }
        int value = 0;
        for (const char c : rest_.substr(0, count)) {
            fits_ = fits_ && c >= '0' && c <= '9';
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }

    int name(std::span<const std::string_view> names) {
        const auto found = std::ranges::find_if(names, [this](std::string_view n) { return rest_.starts_with(n); });
        if (found == names.end()) {
            fits_ = false;
            return 0;
        }
        rest_.remove_prefix(found->size());
        return static_cast<int>(found - names.begin());
    }

    [[nodiscard]] bool next_is(char c) const { return rest_.starts_with(c); }
    [[nodiscard]] bool fits_to_the_end() const { return fits_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool fits_ = true;
};

void read_time_of_day(reader& in, written_date& date) {
    date.hour = in.digits(2);
    in.literal(":");
    date.minute = in.digits(2);
    in.literal(":");
    date.second = in.digits(2);
}

std::optional<written_date> read_imf_fixdate(std::string_view text) {
    reader in(text);
    written_date date;
    in.name(short_weekdays);
    in.literal(", ");
    date.day = in.digits(2);
    in.literal(" ");
    date.month = in.name(months);
    in.literal(" ");
    date.year = in.digits(4);
    in.literal(" ");
    read_time_of_day(in, date);
    in.literal(" GMT");
    return in.fits_to_the_end() ? std::optional(date) : std::nullopt;
}

std::optional<written_date> read_rfc850(std::string_view text) {
    reader in(text);
    written_date date;
    in.name(long_weekdays);
    in.literal(", ");
    date.day = in.digits(2);
    in.literal("-");
    date.month = in.name(months);
    in.literal("-");
    date.year = in.digits(2);
    in.literal(" ");
    read_time_of_day(in, date);
    in.literal(" GMT");
    return in.fits_to_the_end() ? std::optional(date) : std::nullopt;
}

std::optional<written_date> read_asctime(std::string_view text) {
    reader in(text);
    written_date date;
    in.name(short_weekdays);
    in.literal(" ");
    date.month = in.name(months);
    in.literal(" ");
    if (in.next_is(' ')) {
        in.literal(" ");
        date.day = in.digits(1);
    } else {
        date.day = in.digits(2);
    }
    in.literal(" ");
    read_time_of_day(in, date);
    in.literal(" ");
    date.year = in.digits(4);
    return in.fits_to_the_end() ? std::optional(date) : std::nullopt;
}

year_month_day calendar_day(const written_date& date) {
    return year{date.year} / month{static_cast<unsigned>(date.month) + 1} / day{static_cast<unsigned>(date.day)};
}

// A day after the end of its month counts into the next month, so that each written date is a point in time.
sys_seconds place_in_time(const written_date& date) {
    return sys_days{calendar_day(date)} + hours{date.hour} + minutes{date.minute} + seconds{date.second};
}

int full_year(written_date date, wall_time now) {
    now = std::clamp(now, earliest, latest);
    const year_month_day today{floor<days>(now)};
    const sys_seconds latest_allowed =
        floor<seconds>(sys_days{today + years{50}} + (now - wall_time{floor<days>(now)}));
    const int this_century = static_cast<int>(today.year()) / 100 * 100;
    date.year += this_century + 100;
    while (place_in_time(date) > latest_allowed) {
        date.year -= 100;
    }
    return date.year;
}

std::optional<sys_seconds> existing_time(const written_date& date) {
    // UTC inserts its leap seconds at the end of a day only.
    const int last_second = date.hour == 23 && date.minute == 59 ? 60 : 59;
    if (date.hour > 23 || date.minute > 59 || date.second > last_second || !calendar_day(date).ok()) {
        return std::nullopt;
    }
    return place_in_time(date);
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text, wall_time now) {
    if (const auto date = read_imf_fixdate(text)) {
        return existing_time(*date);
    }
    if (auto date = read_rfc850(text)) {
        date->year = full_year(*date, now);
        return existing_time(*date);
    }
    if (const auto date = read_asctime(text)) {
        return existing_time(*date);
    }
    return std::nullopt;
}

std::string format_http_date(wall_time time) {
    time = std::clamp(time, earliest, latest);
    const auto today = floor<days>(time);
    const year_month_day date{today};
    const hh_mm_ss clock{floor<seconds>(time - today)};
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                                   short_weekdays[weekday{today}.c_encoding()].data(), unsigned{date.day()},
                                   months[unsigned{date.month()} - 1].data(), int{date.year()},
                                   static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                   static_cast<int>(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace vembed::text
