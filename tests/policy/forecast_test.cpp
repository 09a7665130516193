#include "policy/quota/forecast.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;

constexpr wall_time today{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};

quota_use use_of(std::uint64_t used, std::uint64_t limit) {
    quota_use use;
    use.used = used;
    use.limit = limit;
    return use;
}

/// The trial tier as documented: 14 days, 400 chunks a period, 100 a day, 60 a minute.
forecast_input trial(std::uint64_t chunks) {
    forecast_input input;
    input.chunks = chunks;
    input.now = today;
    input.quota.chunks_minute = use_of(0, 60);
    input.quota.chunks_day = use_of(0, 100);
    input.quota.chunks_period = use_of(0, 400);
    input.quota.period_left = 14 * 24h;
    input.period_length = 14 * 24h;
    input.tier_ends = today + 14 * 24h;
    return input;
}

const forecast_limit* limit_of(const finish_forecast& out, finish_bound bound) {
    for (const forecast_limit& one : out.limits) {
        if (one.bound == bound) {
            return &one;
        }
    }
    return nullptr;
}

TEST(forecast, wordnet_on_the_trial_tier) {
    // 117,659 rows at 100 a chunk.
    const finish_forecast out = forecast(trial(1177));
    EXPECT_EQ(out.bought, 400u);
    EXPECT_EQ(out.unbought, 777u);
    EXPECT_EQ(out.bound, finish_bound::chunks_period);
    ASSERT_EQ(out.days.size(), 1u);
    EXPECT_EQ(out.days[0].first_day, 1u);
    EXPECT_EQ(out.days[0].last_day, 4u);
    EXPECT_EQ(out.days[0].chunks_a_day, 100u);
    // The fourth day's last chunk: 60 at once, 40 more at one a second.
    EXPECT_EQ(out.time_left, 3 * 24h + 40s);
    EXPECT_EQ(limit_of(out, finish_bound::chunks_minute)->time_left, 1117s);
    EXPECT_EQ(limit_of(out, finish_bound::chunks_day)->time_left, 11 * 24h);
    EXPECT_EQ(limit_of(out, finish_bound::chunks_period)->time_left, 28 * 24h);
    EXPECT_EQ(limit_of(out, finish_bound::tier_end), nullptr);
}

TEST(forecast, a_trial_that_is_half_used) {
    forecast_input input = trial(1177);
    input.quota.chunks_day.used = 87;
    input.quota.chunks_period.used = 187;
    input.quota.period_left = 36h;
    input.tier_ends = today + 36h;
    const finish_forecast out = forecast(input);
    EXPECT_EQ(out.bought, 113u) << "13 today, 100 when the day's come back";
    EXPECT_EQ(out.unbought, 1064u);
    ASSERT_EQ(out.days.size(), 2u);
    EXPECT_EQ(out.days[0].chunks_a_day, 13u);
    EXPECT_EQ(out.days[1].chunks_a_day, 100u);
}

TEST(forecast, a_trial_that_has_ended_sells_nothing) {
    forecast_input input = trial(5);
    input.tier_ends = today;
    const finish_forecast out = forecast(input);
    EXPECT_EQ(out.bought, 0u);
    EXPECT_EQ(out.unbought, 5u);
    EXPECT_EQ(out.bound, finish_bound::tier_end);
    EXPECT_FALSE(out.time_left);
}

TEST(forecast, a_paid_tier_by_its_minute) {
    forecast_input input;
    input.chunks = 1177;
    input.now = today;
    input.quota.chunks_minute = use_of(0, 600);
    input.quota.chunks_day = use_of(0, 50'000);
    input.quota.chunks_period = use_of(0, 1'000'000);
    const finish_forecast out = forecast(input);
    EXPECT_EQ(out.unbought, 0u);
    EXPECT_EQ(out.bound, finish_bound::chunks_minute);
    EXPECT_EQ(out.time_left, 58s) << "600 at once, 577 at ten a second";
    EXPECT_EQ(limit_of(out, finish_bound::chunks_day)->time_left, 0s);
}

TEST(forecast, the_speed_binds_where_it_is_below_the_limits) {
    forecast_input input;
    input.chunks = 1000;
    input.quota.chunks_minute = use_of(0, 600);
    input.chunks_per_second = 2;
    EXPECT_EQ(forecast(input).bound, finish_bound::service_speed);
    EXPECT_EQ(forecast(input).time_left, 500s);
    input.chunks_per_second = 50;
    EXPECT_EQ(forecast(input).bound, finish_bound::chunks_minute);
    EXPECT_EQ(forecast(input).time_left, 40s);
}

TEST(forecast, the_rolling_day) {
    struct day_case {
        std::uint64_t chunks;
        std::uint64_t used;
        std::uint64_t limit;
        std::optional<std::chrono::seconds> time_left;
    };
    for (const day_case& c :
         {day_case{100, 0, 100, 0s}, day_case{101, 0, 100, 24h}, day_case{13, 87, 100, 0s}, day_case{14, 87, 100, 24h},
          day_case{1, 100, 100, 24h}, day_case{1, 200, 100, 24h}, day_case{101, 100, 100, 48h},
          day_case{1000, 0, 100, 216h}, day_case{1, 0, 0, std::nullopt}}) {
        forecast_input input;
        input.chunks = c.chunks;
        input.quota.chunks_day = use_of(c.used, c.limit);
        const finish_forecast out = forecast(input);
        EXPECT_EQ(out.time_left, c.time_left) << c.chunks << " of " << c.used << "/" << c.limit;
        EXPECT_EQ(out.unbought, c.time_left ? 0u : c.chunks);
        const bool free = c.time_left == std::optional<std::chrono::seconds>(0s);
        EXPECT_EQ(out.bound, free ? finish_bound::none : finish_bound::chunks_day);
    }
}

TEST(forecast, periods_to_come) {
    forecast_input input;
    input.chunks = 250;
    input.quota.chunks_period = use_of(40, 100);
    EXPECT_EQ(forecast(input).bought, 60u) << "nobody knows when the period ends";
    EXPECT_EQ(forecast(input).unbought, 190u);
    input.quota.period_left = 10h;
    EXPECT_EQ(forecast(input).bought, 160u) << "nobody knows how long the next one is";
    input.period_length = 30 * 24h;
    const finish_forecast out = forecast(input);
    EXPECT_EQ(out.unbought, 0u);
    EXPECT_EQ(out.time_left, 30 * 24h + 10h);
    EXPECT_EQ(out.bound, finish_bound::chunks_period);
    ASSERT_EQ(out.days.size(), 2u);
    EXPECT_EQ(out.days[0].chunks_a_day, 160u);
    EXPECT_EQ(out.days[1].first_day, 31u);
    EXPECT_EQ(out.days[1].chunks_a_day, 90u);
}

TEST(forecast, a_slow_pace_is_not_lost_at_the_ends_of_days) {
    forecast_input input;
    input.chunks = 10;
    input.chunks_per_second = 1.0 / 50'000;
    input.quota.chunks_day = use_of(0, 100);
    const finish_forecast out = forecast(input);
    EXPECT_EQ(out.time_left, 500'000s);
    EXPECT_EQ(out.bound, finish_bound::service_speed);
    std::uint64_t chunks = 0;
    for (const forecast_days& days : out.days) {
        chunks += days.chunks_a_day * (days.last_day - days.first_day + 1);
    }
    EXPECT_EQ(chunks, 10u);
}

TEST(forecast, requests_count_where_the_size_of_a_job_is_known) {
    forecast_input input;
    input.chunks = 500;
    input.quota.requests_minute = use_of(0, 10);
    EXPECT_FALSE(forecast(input).time_left);
    EXPECT_EQ(forecast(input).bound, finish_bound::none);
    input.chunks_per_job = 5;
    EXPECT_EQ(forecast(input).time_left, 540s);
    EXPECT_EQ(forecast(input).bound, finish_bound::requests_minute);
}

TEST(forecast, nothing_known_and_nothing_to_do) {
    forecast_input input;
    EXPECT_EQ(forecast(input).time_left, 0s);
    input.chunks = 7;
    const finish_forecast out = forecast(input);
    EXPECT_FALSE(out.time_left) << "no limit and no speed: nobody knows";
    EXPECT_EQ(out.unbought, 0u);
    EXPECT_EQ(out.bound, finish_bound::none);
}

TEST(forecast, ends_for_any_numbers) {
    constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t chunks : {std::uint64_t{0}, std::uint64_t{1}, huge / 2, huge}) {
        for (const std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{1}, huge - 1, huge}) {
            for (const double speed : {0.0, 1e-12, 1e12, std::numeric_limits<double>::infinity()}) {
                forecast_input input;
                input.chunks = chunks;
                input.quota.chunks_minute = use_of(huge, limit);
                input.quota.chunks_day = use_of(1, limit);
                input.quota.chunks_period = use_of(huge, limit);
                input.quota.period_left = 1s;
                input.period_length = std::chrono::hours(1);
                input.chunks_per_second = speed;
                const finish_forecast out = forecast(input);
                EXPECT_EQ(out.bought + out.unbought, chunks);
                EXPECT_LE(out.days.size(), forecast_days_max);
            }
        }
    }
}

}  // namespace
}  // namespace vembed::policy
