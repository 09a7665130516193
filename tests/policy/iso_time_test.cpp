#include "text/iso_time.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h;

TEST(iso_time, reads_what_services_write) {
    struct time_case {
        const char* text;
        wall_time at;
    };
    for (const time_case& c :
         {time_case{"2026-01-31T12:00:00Z", noon}, time_case{"2026-01-31T12:00:00.000Z", noon},
          time_case{"2026-01-31t12:00:00z", noon}, time_case{"2026-01-31 12:00:00Z", noon},
          time_case{"2026-01-31T12:00:00.5Z", noon + 500ms}, time_case{"2026-01-31T12:00:00.123456789Z", noon + 123ms},
          time_case{"2026-01-31T14:00:00+02:00", noon}, time_case{"2026-01-31T06:30:00-05:30", noon},
          time_case{"2026-01-31T11:59:60Z", noon}}) {
        EXPECT_EQ(text::parse_iso_time(c.text), c.at) << c.text;
    }
}

TEST(iso_time, refuses_everything_else) {
    for (const char* text :
         {"", "2026", "2026-01-31", "2026-01-31T12:00Z", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z",
          "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z",
          "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+2:00", "2026-01-31T12:00:00+0200", "2026-01-31T12:00:00Zx",
          "x2026-01-31T12:00:00Z", "2026-01-31T12:00:0-Z"}) {
        EXPECT_FALSE(text::parse_iso_time(text)) << text;
    }
}

TEST(iso_time, may_be_loose_about_the_zone) {
    for (const char* text : {"2026-01-31T12:00:00", "2026-01-31 12:00:00.000123", "2026-01-31T12:00:00Z",
                             "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00+00:00Z", "2026-01-31T14:00:00+02:00z"}) {
        EXPECT_EQ(text::parse_loose_iso_time(text), noon) << text;
    }
    for (const char* text : {"", "2026-01-31", "2026-01-31T12:00:00ZZ", "2026-01-31T12:00:00+00:00ZZ",
                             "2026-01-31T12:00:00+00", "2026-01-31T12:00:00 "}) {
        EXPECT_FALSE(text::parse_loose_iso_time(text)) << text;
    }
}

TEST(iso_time, writes_whole_seconds) {
    EXPECT_EQ(text::format_iso_time(noon + 999ms), "2026-01-31T12:00:00Z");
    EXPECT_EQ(text::format_iso_time(wall_time(0ms)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(text::parse_iso_time(text::format_iso_time(noon)), noon);
}

}  // namespace
}  // namespace vembed::policy
