#include "text/text_format.hpp"

#include "cli/terminal/progress_line.hpp"
#include "core/redaction.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vembed::cli {
namespace {

using namespace std::chrono_literals;

TEST(text_format, numbers) {
    EXPECT_EQ(text::grouped(0), "0");
    EXPECT_EQ(text::grouped(999), "999");
    EXPECT_EQ(text::grouped(1000), "1,000");
    EXPECT_EQ(text::grouped(117659), "117,659");
    EXPECT_EQ(text::grouped(1234567), "1,234,567");
    EXPECT_EQ(text::short_count(9999), "9999");
    EXPECT_EQ(text::short_count(10'000), "10k");
    EXPECT_EQ(text::short_count(412'999), "412k");
    EXPECT_EQ(text::short_count(1'200'000), "1.2M");
    EXPECT_EQ(text::short_count(12'000'000), "12M");
    EXPECT_EQ(text::short_count(3'400'000'000), "3.4G");
    EXPECT_EQ(text::short_bytes(0), "0 B");
    EXPECT_EQ(text::short_bytes(999), "999 B");
    EXPECT_EQ(text::short_bytes(4200), "4.2 kB");
    EXPECT_EQ(text::short_bytes(999'900), "1.0 MB");
    EXPECT_EQ(text::short_bytes(481'931'392), "482 MB");
    EXPECT_EQ(text::short_rate(0), "0");
    EXPECT_EQ(text::short_rate(0.42), "0.4");
    EXPECT_EQ(text::short_rate(61.2), "61");
    EXPECT_EQ(text::short_rate(9800), "9,800");
    EXPECT_EQ(text::short_rate(std::numeric_limits<double>::quiet_NaN()), "0");
}

TEST(text_format, sizes_of_one_sentence_are_told_apart) {
    struct row {
        std::vector<std::uint64_t> sizes;
        std::vector<std::string> texts;
    };
    const row table[] = {
        {{}, {}},
        {{41'900'000'000, 12'000'000'000, 20'000'000'000}, {"42 GB", "12 GB", "20 GB"}},
        {{4'212'345'678, 4'208'000'000}, {"4,212 MB", "4,208 MB"}},
        {{60'000'000, 40'000'000}, {"60 MB", "40 MB"}},
        {{1'040'000'000, 999'600'000}, {"1,040 MB", "1,000 MB"}},
        {{41'900'000'000, 41'899'999'000, 41'899'999'000}, {"41,900,000 kB", "41,899,999 kB", "41,899,999 kB"}},
        {{12'345'678'901, 12'345'678'900, 7'000'000}, {"12,345,678,901 B", "12,345,678,900 B", "7.0 MB"}},
        {{5'040'000'000'000, 5'001'000'000'000}, {"5,040 GB", "5,001 GB"}},
        {{1'499'600, 1'500'000, 1'540'000}, {"1,499,600 B", "1,500,000 B", "1,540,000 B"}},
        {{999, 1000, 0}, {"999 B", "1.0 kB", "0 B"}},
        {{7000, 7000}, {"7.0 kB", "7.0 kB"}},
    };
    for (const row& expected : table) {
        EXPECT_EQ(text::short_bytes_apart(expected.sizes), expected.texts);
    }
}

TEST(text_format, durations) {
    EXPECT_EQ(text::short_duration(-5ms), "0 s");
    EXPECT_EQ(text::short_duration(0ms), "0 s");
    EXPECT_EQ(text::short_duration(1ms), "0.1 s");
    EXPECT_EQ(text::short_duration(420ms), "0.4 s");
    EXPECT_EQ(text::short_duration(999ms), "1.0 s");
    EXPECT_EQ(text::short_duration(12s), "12 s");
    EXPECT_EQ(text::short_duration(185s), "3min 05s");
    EXPECT_EQ(text::short_duration(2h + 3min + 59s), "2h 03min");
    EXPECT_EQ(text::short_duration(76h), "3d 04h");
}

TEST(progress_line, whole) {
    progress state;
    state.rows_done = 412'000;
    state.rows_total = 1'200'000;
    state.rows_per_second = 106.7;
    state.jobs_in_flight = 8;
    state.chunks_used = 41;
    state.pauses = 2;
    state.paused = 12s;
    state.limited_by = "rate";
    EXPECT_EQ(progress_line(state),
              "412k/1.2M rows 34% | 107 rows/s | 8 in flight | 41 chunks | 2 pauses, 12 s | done in 2h 03min | "
              "limited by rate");
}

TEST(progress_line, names_the_limits_and_which_one_binds) {
    progress state;
    state.rows_done = 412'000;
    state.rows_total = 1'200'000;
    state.rows_per_second = 61.2;
    state.jobs_in_flight = 8;
    state.chunks_used = 4120;
    state.quota.chunks_minute.used = 41;
    state.quota.chunks_minute.limit = 60;
    state.quota.chunks_day.used = 87;
    state.quota.chunks_day.limit = 100;
    state.pauses = 2;
    state.paused = 12s;
    state.limited_by = "day quota";
    state.time_left = 51h;
    state.finish_bound = "day quota";
    EXPECT_EQ(progress_line(state),
              "412k/1.2M rows 34% | 61 rows/s | 8 in flight | 41/60 chunks/min, day 87/100 | 2 pauses, 12 s | "
              "done in 2d 03h (day quota)");
    EXPECT_EQ(progress_line(state, 110),
              "412k/1.2M rows 34% | 61 rows/s | 41/60 chunks/min, day 87/100 | 2 pauses, 12 s | "
              "done in 2d 03h (day quota)");
    EXPECT_EQ(progress_line(state, 80),
              "412k/1.2M rows 34% | 41/60 chunks/min, day 87/100 | done in 2d 03h (day quota)");
    EXPECT_EQ(progress_line(state, 20), "412k/1.2M rows 34% | done in 2d 03h (day quota)");
    state.quota.chunks_minute.limit.reset();
    state.quota.chunks_period.used = 380;
    state.quota.chunks_period.limit = 400;
    state.limited_by = "a pause";
    state.time_left.reset();
    EXPECT_EQ(progress_line(state),
              "412k/1.2M rows 34% | 61 rows/s | 8 in flight | day 87/100, period 380/400 | 2 pauses, 12 s | "
              "limited by a pause")
        << "the speed says nothing of when a quota comes back";
}

TEST(progress_line, tells_what_the_trial_does_not_buy) {
    progress state;
    state.rows_done = 1000;
    state.rows_total = 6000;
    state.rows_per_second = 50;
    state.tier_left = 13 * 24h + 5h;
    state.rows_beyond_tier = 2000;
    EXPECT_EQ(progress_line(state),
              "1000/6000 rows 16% | 50 rows/s | about 2000 rows need another tier: the trial ends in 13d 05h");
    state.rows_beyond_tier = 1;
    state.tier_left = 0s;
    EXPECT_EQ(progress_line(state, 20), "1000/6000 rows 16% | about 1 row needs another tier: the trial has ended");
}

TEST(progress_line, tells_an_outage) {
    progress state;
    state.rows_done = 412'000;
    state.rows_total = 1'200'000;
    state.jobs_in_flight = 8;
    state.time_left = 51h;
    state.limited_by = "a pause";
    state.unreachable_for = 185s;
    state.unreachable_reason = "Connection refused";
    EXPECT_EQ(progress_line(state),
              "412k/1.2M rows 34% | 8 in flight | unreachable for 3min 05s (connection refused), trying again");
    EXPECT_EQ(progress_line(state, 80),
              "412k/1.2M rows 34% | unreachable for 3min 05s (connection refused), trying again");
    state.unreachable_reason = "TLS\n";
    EXPECT_NE(progress_line(state).find("(TLS\\x0a), trying again"), std::string::npos);
    state.unreachable_reason.clear();
    EXPECT_NE(progress_line(state).find("| unreachable for 3min 05s, trying again"), std::string::npos);
}

TEST(progress_line, leaves_out_what_is_not_known) {
    progress state;
    EXPECT_EQ(progress_line(state), "0 rows");
    state.rows_total = 10;
    EXPECT_EQ(progress_line(state), "0/10 rows 0%");
    state.rows_done = 8;
    state.rows_failed = 1;
    state.rows_per_second = 100;
    state.chunks_used = 1;
    EXPECT_EQ(progress_line(state), "9/10 rows 90% (1 failed) | 100 rows/s | 1 chunk | done in 1 s");
    state.rows_done = 9;
    EXPECT_EQ(progress_line(state), "10/10 rows 100% (1 failed) | 100 rows/s | 1 chunk");
    state.rows_total = 0;
    EXPECT_EQ(progress_line(state), "10/0 rows (1 failed) | 100 rows/s | 1 chunk");
}

TEST(progress_line, says_100_percent_only_when_it_is) {
    progress state;
    state.rows_total = 1'000'000;
    state.rows_done = 999'999;
    EXPECT_EQ(progress_line(state), "999k/1.0M rows 99%");
}

TEST(reading_line, whole_and_in_parts) {
    EXPECT_EQ(reading_line(1'200'000, 120'000'000, 211'000'000, 4s),
              "1.2M rows read | 120 MB of 211 MB 56% | 300,000 rows/s | done in 3 s");
    EXPECT_EQ(reading_line(7, 211, 211, 500ms), "7 rows read | 211 B of 211 B 100% | 14 rows/s");
    EXPECT_EQ(reading_line(7, 300, 211, 0ms), "7 rows read") << "a file that grew";
    EXPECT_EQ(reading_line(0, 0, 0, 0ms), "0 rows read");
}

TEST(describe_rows, as_inclusive_ranges) {
    EXPECT_EQ(text::describe_rows({7}), "row 7");
    EXPECT_EQ(text::describe_rows({0, 1, 2, 5}), "rows 0-2, 5");
    EXPECT_EQ(text::describe_rows({0, 2, 4, 6}, 2), "rows 0, 2, … (4 rows in all)");
}

TEST(printable, neither_controls_the_terminal_nor_shows_a_key) {
    EXPECT_EQ(text::printable("a\x1b[2Jb\r\n\tc\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x09c\\x7f");
    EXPECT_EQ(text::printable_lines("a\nb"), "a\nb");
    EXPECT_EQ(text::printable("sea \xc3\xa9 \xe2\x80\xa6"), "sea \xc3\xa9 \xe2\x80\xa6");
    EXPECT_EQ(text::printable("x\xc2\x9bm").find("\xc2"), std::string::npos);
    EXPECT_EQ(text::printable("Bearer cyb_0123456789abcdef."), "Bearer cyb_…");
    EXPECT_EQ(masked_keys("{\"k\":\"cyb_abc\",\"l\":\"cyb_def\"}"), "{\"k\":\"cyb_…\",\"l\":\"cyb_…\"}");
    EXPECT_EQ(masked_keys("cyb_"), "cyb_…");
    EXPECT_EQ(masked_keys("no key"), "no key");
    // A key's id is its first 12 characters.
    EXPECT_EQ(masked_keys("revoke cyb_trial_0f."), "revoke cyb_trial_0f.");
    EXPECT_EQ(masked_keys("cyb_trial_0f0 cyb_trial_0"), "cyb_… cyb_…");
    EXPECT_EQ(masked_json(R"({"a":"said \"cyb_trial_0f00\" \n","b":"cyb_trial_0f"})"),
              R"({"a":"said \"cyb_…\" \n","b":"cyb_trial_0f"})");
    // What was masked stays as it is.
    EXPECT_EQ(masked_keys(masked_keys("a cyb_abc b")), "a cyb_… b");
}

TEST(masked_json, knows_a_key_that_is_written_with_escapes) {
    EXPECT_EQ(masked_json(R"(["\u0063yb_abc","c\u0079\u0062\u005Fabc","cyb_a\u0062c\/d","cyb_\\"])"),
              R"(["cyb_…","cyb_…","cyb_…","cyb_…"])");
    EXPECT_EQ(masked_json(R"({"id":"\u0063yb_trial_0f","no":"\u0063yx_abc","cut":"\u00)"),
              R"({"id":"\u0063yb_trial_0f","no":"\u0063yx_abc","cut":"\u00)");
    EXPECT_EQ(masked_keys(R"(it said "\u0063yb_abc".)"), R"(it said "cyb_…".)");
}

TEST(utf8_text, replaces_what_json_cannot_hold) {
    EXPECT_EQ(text::utf8_text("abc"), "abc");
    EXPECT_EQ(text::utf8_text("a\xff"
                              "b"),
              "a\xef\xbf\xbd"
              "b");
    EXPECT_EQ(text::utf8_text("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace vembed::cli
