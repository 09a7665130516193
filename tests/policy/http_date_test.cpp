#include "text/http_date.hpp"

#include <random>

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono;
using testing_support::read_json;
using testing_support::vector_path;

constexpr wall_time at(int y, unsigned m, unsigned d, seconds of_day = seconds{0}) {
    return sys_days{year{y} / month{m} / day{d}} + of_day;
}

constexpr wall_time now = at(2023, 9, 29);

TEST(http_date, reads_the_three_forms) {
    const auto expected = sys_seconds{seconds{784111777}};
    EXPECT_EQ(text::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), expected);
    EXPECT_EQ(text::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), expected);
    EXPECT_EQ(text::parse_http_date("Sun Nov  6 08:49:37 1994", now), expected);
    EXPECT_EQ(text::parse_http_date("Wed Nov 16 08:49:37 1994", now), expected + days{10});
}

TEST(http_date, takes_a_wrong_weekday_but_no_wrong_word) {
    EXPECT_TRUE(text::parse_http_date("Mon, 06 Nov 1994 08:49:37 GMT", now));
    EXPECT_FALSE(text::parse_http_date("Zun, 06 Nov 1994 08:49:37 GMT", now));
}

TEST(http_date, refuses_everything_else) {
    for (const std::string_view text : {
             "",
             " Sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 1994 08:49:37 GMT ",
             "Sun, 06 Nov 1994 08:49:37",
             "Sun, 06 Nov 1994 08:49:37 UTC",
             "Sun, 06 Nov 1994 08:49:37 gmt",
             "sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06 nov 1994 08:49:37 GMT",
             "Sunday, 06 Nov 1994 08:49:37 GMT",
             "Sun, 6 Nov 1994 08:49:37 GMT",
             "Sun,  6 Nov 1994 08:49:37 GMT",
             "Sun, +6 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 94 08:49:37 GMT",
             "Sun, 06 Nov 11994 08:49:37 GMT",
             "Sun, 06 Nov -994 08:49:37 GMT",
             "Sun, 06 Nov 1994 8:49:37 GMT",
             "Sun, 06 Nov 1994 08:49 GMT",
             "Sun, 06-Nov-94 08:49:37 GMT",
             "Sunday, 06-Nov-1994 08:49:37 GMT",
             "Sunday, 06-Nov-94 08:49:37",
             "Sun Nov 6 08:49:37 1994",
             "Sun Nov 06 08:49:37 1994 GMT",
             "Sun Nov   6 08:49:37 1994",
             "Sun Nov  6 08:49:37 94",
             "120",
             "1994-11-06T08:49:37Z",
         }) {
        EXPECT_FALSE(text::parse_http_date(text, now)) << text;
    }
    EXPECT_FALSE(text::parse_http_date(std::string_view("Sun, 06 Nov 1994 08:49:37 GMT\0", 30), now));
}

TEST(http_date, refuses_times_that_do_not_exist) {
    for (const std::string_view text : {
             "Tue, 00 Feb 2023 00:00:00 GMT",
             "Tue, 29 Feb 2023 00:00:00 GMT",
             "Tue, 29 Feb 1900 00:00:00 GMT",
             "Tue, 31 Apr 2023 00:00:00 GMT",
             "Tue, 32 Jan 2023 00:00:00 GMT",
             "Tue, 01 Jan 2023 24:00:00 GMT",
             "Tue, 01 Jan 2023 23:60:00 GMT",
             "Tue, 01 Jan 2023 23:59:61 GMT",
             "Tue, 01 Jan 2023 12:00:60 GMT",
             "Sunday, 29-Feb-23 08:49:37 GMT",
             "Sun Feb 30 08:49:37 1994",
         }) {
        EXPECT_FALSE(text::parse_http_date(text, now)) << text;
    }
    EXPECT_TRUE(text::parse_http_date("Tue, 29 Feb 2000 00:00:00 GMT", now));
}

TEST(http_date, a_leap_second_is_the_next_day) {
    EXPECT_EQ(text::parse_http_date("Wed, 31 Dec 2008 23:59:60 GMT", now), sys_days{2009y / January / 1});
}

struct century_case {
    wall_time now;
    std::string_view text;
    int year;
};

TEST(http_date, places_two_digit_years_within_fifty_years) {
    for (const auto& c : {
             century_case{at(2023, 9, 29), "Sunday, 06-Nov-94 08:49:37 GMT", 1994},
             century_case{at(2023, 9, 29), "Sunday, 06-Nov-26 08:49:37 GMT", 2026},
             century_case{at(2023, 9, 29), "Friday, 29-Sep-73 00:00:00 GMT", 2073},
             century_case{at(2023, 9, 29), "Friday, 29-Sep-73 00:00:01 GMT", 1973},
             century_case{at(1999, 12, 31), "Saturday, 01-Jan-00 00:00:00 GMT", 2000},
             century_case{at(2060, 1, 1), "Friday, 01-Jan-05 00:00:00 GMT", 2105},
             century_case{at(2060, 1, 1), "Friday, 01-Jan-11 00:00:00 GMT", 2011},
             century_case{at(2024, 2, 29), "Thursday, 29-Feb-24 00:00:00 GMT", 2024},
             century_case{at(2099, 1, 1), "Monday, 01-Mar-00 00:00:00 GMT", 2100},
         }) {
        const auto read = text::parse_http_date(c.text, c.now);
        ASSERT_TRUE(read) << c.text;
        EXPECT_EQ(year_month_day{floor<days>(*read)}.year(), year{c.year}) << c.text;
    }
    // The latest year that fits is not a leap year, and no other year is meant.
    EXPECT_FALSE(text::parse_http_date("Monday, 29-Feb-00 00:00:00 GMT", at(2099, 1, 1)));
}

TEST(http_date, survives_any_present) {
    for (const auto present : {wall_time::min(), wall_time::max(), wall_time{}}) {
        EXPECT_TRUE(text::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", present));
        EXPECT_EQ(text::format_http_date(present).size(), 29U);
    }
}

TEST(http_date, writes_imf_fixdate) {
    EXPECT_EQ(text::format_http_date(wall_time{}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(text::format_http_date(wall_time{milliseconds{784111777999}}), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(text::format_http_date(wall_time{milliseconds{-1}}), "Wed, 31 Dec 1969 23:59:59 GMT");
    EXPECT_EQ(text::format_http_date(wall_time::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(text::format_http_date(wall_time::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(http_date, reads_back_what_it_writes) {
    std::mt19937_64 random(1);
    std::uniform_int_distribution<std::int64_t> any_second(-62'167'219'200, 253'402'300'799);
    for (int i = 0; i < 20'000; ++i) {
        const sys_seconds time{seconds{any_second(random)}};
        const std::string text = text::format_http_date(time);
        ASSERT_EQ(text::parse_http_date(text, now), time) << text;
    }
}

TEST(http_date, agrees_with_the_shared_cases) {
    VEMBED_NEEDS_VECTORS("http-date");
    int accepted = 0;
    const auto cases = read_json(vector_path("http-date/curl_lib517.json"));
    for (const auto& c : cases.as_array()) {
        const std::string input(c.at("input").as_string());
        const std::int64_t reference = c.at("curl_getdate").as_int64();
        const auto read = text::parse_http_date(input, now);
        // The reference answers -1 for a date in one of the three forms that does not exist.
        if (c.at("rfc9110_form").as_string() == "none" || reference == -1) {
            EXPECT_FALSE(read) << input;
            continue;
        }
        ASSERT_TRUE(read) << input;
        EXPECT_EQ(read->time_since_epoch().count(), reference) << input;
        ++accepted;
    }
    EXPECT_GE(accepted, 8);
}

}  // namespace
}  // namespace vembed::policy
