#include "policy/retry/retry_after.hpp"

#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace vembed::policy {
namespace {

using namespace std::chrono;
using testing_support::read_json;
using testing_support::vector_path;

constexpr wall_time now{seconds{1696004797}};  // Fri, 29 Sep 2023 16:26:37 GMT

struct retry_after_case {
    std::string_view value;
    std::optional<std::int64_t> seconds;
};

TEST(retry_after, table) {
    for (const auto& c : {
             retry_after_case{"20", 20},
             retry_after_case{" \t20\t ", 20},
             retry_after_case{"0020", 20},
             retry_after_case{"2147483647", 2147483647},
             retry_after_case{"2147483648", std::nullopt},
             retry_after_case{"99999999999999999999999999999999999", std::nullopt},
             retry_after_case{"0", 0},
             retry_after_case{"000", 0},
             retry_after_case{"-10", std::nullopt},
             retry_after_case{"+10", std::nullopt},
             retry_after_case{"1.5", 2},
             retry_after_case{"0.2", 1},
             retry_after_case{"7.0", 7},
             retry_after_case{"0.0", 0},
             retry_after_case{"7.", 7},
             retry_after_case{"0.", 0},
             retry_after_case{".5", 1},
             retry_after_case{".0", 0},
             retry_after_case{".", std::nullopt},
             retry_after_case{"..5", std::nullopt},
             retry_after_case{"-.5", std::nullopt},
             retry_after_case{"1.2.3", std::nullopt},
             retry_after_case{"2147483647.1", std::nullopt},
             retry_after_case{"1e3", std::nullopt},
             retry_after_case{"0x10", std::nullopt},
             retry_after_case{"10s", std::nullopt},
             retry_after_case{"10 20", std::nullopt},
             retry_after_case{"10,20", std::nullopt},
             retry_after_case{"\n20", std::nullopt},
             retry_after_case{"inf", std::nullopt},
             retry_after_case{"nan", std::nullopt},
             retry_after_case{"", std::nullopt},
             retry_after_case{"  ", std::nullopt},
             retry_after_case{"Fri, 29 Sep 2023 16:26:57 GMT", 20},
             retry_after_case{" Fri, 29 Sep 2023 16:26:57 GMT ", 20},
             retry_after_case{"Friday, 29-Sep-23 16:26:57 GMT", 20},
             retry_after_case{"Fri Sep 29 16:26:57 2023", 20},
             retry_after_case{"Fri, 29 Sep 2023 16:26:38 GMT", 1},
             retry_after_case{"Fri, 29 Sep 2023 16:26:37 GMT", 0},
             retry_after_case{"Fri, 29 Sep 2023 16:26:36 GMT", 0},
             retry_after_case{"Fri, 31 Dec 9999 23:59:59 GMT", std::nullopt},
             retry_after_case{"Sat, 01 Jan 0000 00:00:00 GMT", 0},
         }) {
        const auto delay = parse_retry_after(c.value, now);
        ASSERT_EQ(delay.has_value(), c.seconds.has_value()) << c.value;
        if (delay) {
            EXPECT_EQ(delay->count(), *c.seconds) << c.value;
        }
    }
}

TEST(retry_after, nobody_is_early) {
    EXPECT_EQ(parse_retry_after("Fri, 29 Sep 2023 16:26:57 GMT", now + milliseconds{1}), seconds{20});
    EXPECT_EQ(parse_retry_after("Fri, 29 Sep 2023 16:26:57 GMT", now + milliseconds{999}), seconds{20});
    EXPECT_EQ(parse_retry_after("Fri, 29 Sep 2023 16:26:57 GMT", now + milliseconds{19'999}), seconds{1});
    EXPECT_EQ(parse_retry_after("Fri, 29 Sep 2023 16:26:57 GMT", now + milliseconds{20'000}), seconds{0});
}

TEST(retry_after, survives_any_present) {
    EXPECT_FALSE(parse_retry_after("Fri, 29 Sep 2023 16:26:57 GMT", wall_time::min()));
    EXPECT_EQ(parse_retry_after("Fri, 29 Sep 2023 16:26:57 GMT", wall_time::max()), seconds{0});
}

// The clocks of both sides may differ: what counts is the distance between the response's two dates.
TEST(retry_after, a_date_is_held_against_the_responses_own) {
    const wall_time theirs = present_of("Fri, 29 Sep 2023 18:00:00 GMT", now);
    EXPECT_EQ(parse_retry_after("Fri, 29 Sep 2023 18:00:05 GMT", theirs), seconds{5});
    EXPECT_EQ(present_of(" Friday, 29-Sep-23 18:00:00 GMT", now), theirs);
    for (const std::optional<std::string_view> unreadable :
         {std::optional<std::string_view>(), std::optional<std::string_view>("today"),
          std::optional<std::string_view>("")}) {
        EXPECT_EQ(present_of(unreadable, now), now);
    }
}

TEST(retry_after, agrees_with_the_shared_cases) {
    VEMBED_NEEDS_VECTORS("retry-after");
    const auto cases = read_json(vector_path("retry-after/cases.json"));
    const wall_time then{seconds{cases.at("now_epoch").as_int64()}};
    for (const auto& c : cases.at("openai").as_array()) {
        const std::string value(c.at("value").as_string());
        const auto delay = parse_retry_after(value, then);
        // These rows say null, for "unusable". Here zero and what is past are usable: they say "at once".
        const std::set<std::string> at_once{"0", "Fri, 29 Sep 2023 16:26:37 GMT", "Fri, 29 Sep 2023 16:26:27 GMT"};
        if (at_once.contains(value)) {
            EXPECT_EQ(delay, seconds{0}) << value;
            continue;
        }
        ASSERT_EQ(delay.has_value(), !c.at("delay_s").is_null()) << value;
        if (delay) {
            EXPECT_EQ(delay->count(), c.at("delay_s").as_int64()) << value;
        }
    }
    for (const auto& value : cases.at("openai_over_max_120").as_array()) {
        EXPECT_GT(parse_retry_after(std::string(value.as_string()), then), seconds{120});
    }
    for (const auto& c : cases.at("field_bugs").as_array()) {
        const std::string value(c.at("value").as_string());
        const auto delay = parse_retry_after(value, then);
        if (delay) {
            EXPECT_GE(*delay, seconds{0}) << value;
            EXPECT_LT(*delay, duration_cast<seconds>(milliseconds::max())) << value;
        }
    }
}

}  // namespace
}  // namespace vembed::policy
