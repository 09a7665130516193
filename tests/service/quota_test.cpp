// Quotas over virtual time.

#include <gtest/gtest.h>

#include "service/service_driver.hpp"

namespace vembed {
namespace {

using namespace std::chrono_literals;

testing::service_options of_tier(testing::tier tier, std::uint32_t chunk_size = 1) {
    testing::service_options options;
    options.account_tier = tier;
    options.chunk_size = chunk_size;
    return options;
}

std::uint64_t consumed(service_driver& driver) {
    return json_of(driver.ask("GET", "/account")).at("chunks_consumed_period").to_number<std::uint64_t>();
}

TEST(quota, chunks_a_minute_are_counted_in_a_sliding_window) {
    service_driver driver(of_tier(testing::tier::trial));
    EXPECT_EQ(driver.submit(40).status, 201);
    driver.advance(20s);
    EXPECT_EQ(driver.submit(20).status, 201);
    const auto refused = driver.submit(10);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(error_of(refused), "rate_limited");
    EXPECT_EQ(header_of(refused, "Retry-After"), "40");
    driver.advance(39'999ms);
    EXPECT_EQ(driver.submit(10).status, 429);
    driver.advance(1ms);
    EXPECT_EQ(driver.submit(10).status, 201);
    EXPECT_EQ(driver.service.counters().replies_rate_limited, 2u);
}

TEST(quota, a_retry_after_the_time_told_is_accepted) {
    service_driver driver(of_tier(testing::tier::trial));
    driver.submit(31);
    driver.advance(1234ms);
    driver.submit(29);
    driver.advance(77ms);
    const auto refused = driver.submit(35);
    ASSERT_EQ(refused.status, 429);
    driver.advance(std::chrono::seconds(std::stoi(*header_of(refused, "Retry-After"))));
    EXPECT_EQ(driver.submit(35).status, 201);
}

TEST(quota, a_job_over_the_minutes_cap_needs_an_empty_window) {
    service_driver driver(of_tier(testing::tier::trial));
    EXPECT_EQ(driver.submit(1).status, 201);
    EXPECT_EQ(driver.submit(80).status, 429);
    driver.advance(60s);
    EXPECT_EQ(driver.submit(80).status, 201);
    driver.advance(59s);
    EXPECT_EQ(driver.submit(1).status, 429);
    driver.advance(1s);
    EXPECT_EQ(driver.submit(1).status, 201);
}

TEST(quota, the_day_rolls) {
    service_driver driver(of_tier(testing::tier::trial));
    EXPECT_EQ(driver.submit(60).status, 201);
    driver.advance(12h);
    EXPECT_EQ(driver.submit(40).status, 201);
    driver.advance(1min);
    const auto refused = driver.submit(1);
    EXPECT_EQ(refused.status, 402);
    EXPECT_EQ(error_of(refused), "quota_exceeded");
    driver.advance(12h - 1min);
    EXPECT_EQ(driver.submit(60).status, 201);
    driver.advance(1min);
    EXPECT_EQ(driver.submit(1).status, 402);
}

TEST(quota, the_period_starts_anew) {
    testing::service_options options = of_tier(testing::tier::paid);
    options.chunks_per_period = 50;
    service_driver driver(options);
    EXPECT_EQ(driver.submit(50).status, 201);
    EXPECT_EQ(error_of(driver.submit(1)), "quota_exceeded");
    driver.advance(24h * 30 - 1s);
    EXPECT_EQ(driver.submit(1).status, 402);
    driver.advance(1s);
    EXPECT_EQ(consumed(driver), 0u);
    EXPECT_EQ(driver.submit(50).status, 201);
    driver.advance(24h * 75);
    const auto account = json_of(driver.ask("GET", "/account"));
    EXPECT_EQ(account.at("chunks_period_started_at").as_string(), "2026-05-01T00:00:00.000Z");
}

TEST(quota, the_trial_ends_after_fourteen_days) {
    service_driver driver(of_tier(testing::tier::trial));
    const std::string id = id_of(driver.submit(1));
    driver.advance(24h * 14 - 1s);
    EXPECT_EQ(driver.submit(1).status, 201);
    driver.advance(1s);
    const auto refused = driver.submit(1);
    EXPECT_EQ(refused.status, 402);
    EXPECT_EQ(error_of(refused), "trial_expired");
    EXPECT_EQ(driver.ask("GET", "/jobs/" + id + "/output").status, 200) << "what was bought can be fetched";
    const auto account = json_of(driver.ask("GET", "/account"));
    EXPECT_EQ(account.at("subscription_status").as_string(), "none");
    EXPECT_EQ(account.at("effective_tier").as_string(), "free");
    EXPECT_EQ(account.at("limits").at("chunks_per_day").to_number<int>(), 25) << "limits follow the effective tier";
    EXPECT_EQ(account.at("chunks_consumed_period").to_number<int>(), 0);
    EXPECT_EQ(account.at("chunks_period_started_at").as_string(), "2026-02-14T00:00:00.000Z");
}

TEST(quota, requests_over_the_tiers_size_are_too_large) {
    service_driver trial(of_tier(testing::tier::trial));
    EXPECT_EQ(trial.submit(101).status, 413);
    EXPECT_EQ(error_of(trial.submit(101)), "request_too_large");
    service_driver free(of_tier(testing::tier::free, 100));
    EXPECT_EQ(free.submit(501).status, 413);
    EXPECT_EQ(free.submit(500).status, 201);
    EXPECT_EQ(free.service.counters().chunks_charged, 5u);
}

TEST(quota, the_free_tier_counts_requests_a_minute) {
    service_driver driver(of_tier(testing::tier::free));
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(driver.submit(2).status, 201);
    }
    EXPECT_EQ(error_of(driver.submit(2)), "rate_limited");
    driver.advance(60s);
    EXPECT_EQ(driver.submit(5).status, 201);
    EXPECT_EQ(error_of(driver.submit(1)), "quota_exceeded") << "25 chunks a day";
}

TEST(quota, jobs_in_flight_are_capped) {
    testing::service_options options = of_tier(testing::tier::paid);
    options.max_inflight = 2;
    options.settle_delay_ms = 5000;
    service_driver driver(options);
    EXPECT_EQ(driver.submit(1).status, 201);
    driver.advance(1s);
    EXPECT_EQ(driver.submit(1).status, 201);
    const auto refused = driver.submit(1);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(error_of(refused), "too_many_inflight");
    EXPECT_EQ(header_of(refused, "Retry-After"), "4");
    driver.advance(4s);
    EXPECT_EQ(driver.submit(1).status, 201);
}

TEST(quota, a_refunded_job_gives_its_chunks_back_when_it_ends) {
    testing::service_options options = of_tier(testing::tier::paid);
    options.settle_delay_ms = 1000;
    options.faults.refund = 1;
    service_driver driver(options);
    const std::string id = id_of(driver.submit(7));
    EXPECT_EQ(consumed(driver), 7u);
    driver.advance(1s);
    EXPECT_EQ(consumed(driver), 0u);
    EXPECT_EQ(driver.service.counters().chunks_charged, 7u);
    const auto job = json_of(driver.ask("GET", "/jobs/" + id));
    EXPECT_EQ(job.at("status").as_string(), "REFUNDED");
    EXPECT_TRUE(job.at("receipt_id").is_null());
    EXPECT_EQ(driver.ask("GET", "/jobs/" + id + "/output").status, 409);
}

TEST(quota, accounts_do_not_share_windows) {
    service_driver driver(of_tier(testing::tier::trial));
    EXPECT_EQ(driver.submit(60).status, 201);
    EXPECT_EQ(driver.submit(60).status, 429);
    driver.key = driver.service.add_account();
    EXPECT_EQ(driver.submit(60).status, 201);
    EXPECT_EQ(driver.service.counters().chunks_charged, 60u) << "of the first account";
}

TEST(quota, never_more_than_the_cap_in_any_minute) {
    testing::service_options options = of_tier(testing::tier::paid);
    options.chunks_per_minute = 50;
    service_driver small(options);
    std::vector<std::pair<monotonic_time, std::size_t>> charged;
    std::uint64_t state = 1;
    for (int i = 0; i < 3000; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        small.advance(std::chrono::milliseconds(state >> 53));
        const std::size_t chunks = 1 + (state >> 33) % 20;
        if (small.submit(chunks).status == 201) {
            charged.emplace_back(small.now, chunks);
        }
    }
    for (std::size_t first = 0; first < charged.size(); ++first) {
        std::size_t sum = 0;
        for (std::size_t i = first; i < charged.size() && charged[i].first - charged[first].first < 60s - 1ms; ++i) {
            sum += charged[i].second;
        }
        ASSERT_LE(sum, 50u);
    }
    EXPECT_GT(charged.size(), 100u);
}

}  // namespace
}  // namespace vembed
