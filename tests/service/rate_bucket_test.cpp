#include "service/account/rate_bucket.hpp"

#include <gtest/gtest.h>

#include "service/service_driver.hpp"
#include "support/moments.hpp"

namespace vembed::service {
namespace {

using namespace std::chrono_literals;
using testing::at;
using testing::bucket_shape;

// Takes one at a time for as long as there is room at that moment.
std::uint64_t taken(rate_bucket& bucket, monotonic_time now) {
    std::uint64_t count = 0;
    while (bucket.room_at(1, now) == now) {
        bucket.charge(1, now);
        ++count;
    }
    return count;
}

TEST(rate_bucket, each_shape_lets_its_own_amounts_through) {
    struct row {
        bucket_shape shape;
        std::uint64_t at_start, after_30_s, after_59_s, after_60_s, after_90_s;
    };
    for (const row& want :
         {row{bucket_shape::sliding_log, 600, 0, 0, 600, 0}, row{bucket_shape::fixed_window, 600, 0, 0, 600, 0},
          row{bucket_shape::token_bucket, 600, 300, 290, 10, 300},
          row{bucket_shape::leaky_bucket, 10, 10, 10, 10, 10}}) {
        SCOPED_TRACE(static_cast<int>(want.shape));
        rate_bucket bucket(want.shape, 600);
        EXPECT_EQ(taken(bucket, at(0s)), want.at_start);
        EXPECT_EQ(taken(bucket, at(30s + 1ms)), want.after_30_s);
        EXPECT_EQ(taken(bucket, at(59s + 1ms)), want.after_59_s);
        EXPECT_EQ(taken(bucket, at(60s + 1ms)), want.after_60_s);
        EXPECT_EQ(taken(bucket, at(90s + 1ms)), want.after_90_s);
    }
}

TEST(rate_bucket, a_fixed_window_lets_twice_its_cap_through_around_its_edge) {
    rate_bucket bucket(bucket_shape::fixed_window, 60);
    bucket.charge(1, at(0s));
    EXPECT_EQ(taken(bucket, at(59s)), 59u);
    EXPECT_EQ(bucket.room_at(1, at(59s)), at(60s));
    EXPECT_EQ(taken(bucket, at(60s)), 60u);
    EXPECT_EQ(bucket.room_at(1, at(61s)), at(120s));
    EXPECT_EQ(taken(bucket, at(400s)), 60u) << "windows without requests went by";
    EXPECT_EQ(bucket.room_at(1, at(400s)), at(420s));
}

TEST(rate_bucket, says_when_there_is_room) {
    for (const bucket_shape shape : {bucket_shape::sliding_log, bucket_shape::fixed_window, bucket_shape::token_bucket,
                                     bucket_shape::leaky_bucket}) {
        SCOPED_TRACE(static_cast<int>(shape));
        rate_bucket bucket(shape, 600);
        (void)taken(bucket, at(0s));
        for (const std::uint64_t amount : {1u, 5u, 10u, 599u, 600u, 5000u}) {
            rate_bucket early = bucket;
            rate_bucket then = bucket;
            const auto room = then.room_at(amount, at(1s));
            ASSERT_TRUE(room);
            EXPECT_EQ(then.room_at(amount, *room), *room);
            EXPECT_TRUE(*room == at(1s) || early.room_at(amount, *room - 1ms) == *room);
        }
    }
}

TEST(rate_bucket, what_is_larger_than_the_bucket_needs_it_empty_and_is_owed) {
    rate_bucket leaky(bucket_shape::leaky_bucket, 60);
    leaky.charge(100, at(0s));
    EXPECT_GE(*leaky.room_at(100, at(1s)), at(100s));
    EXPECT_LE(*leaky.room_at(100, at(1s)), at(100s) + 1ms);
    rate_bucket tokens(bucket_shape::token_bucket, 60);
    tokens.charge(1, at(0s));
    EXPECT_GE(*tokens.room_at(100, at(0s)), at(1s));
    tokens.charge(100, at(2s));
    EXPECT_GE(*tokens.room_at(1, at(2s)), at(43s));
}

TEST(rate_bucket, nothing_fits_a_cap_of_zero) {
    for (const bucket_shape shape : {bucket_shape::sliding_log, bucket_shape::fixed_window, bucket_shape::token_bucket,
                                     bucket_shape::leaky_bucket}) {
        rate_bucket bucket(shape, 0);
        EXPECT_EQ(bucket.room_at(1, at(0s)), std::nullopt);
    }
}

TEST(rate_bucket, the_service_limits_in_the_shape_asked_for_and_counts_its_busiest_minute) {
    testing::service_options options;
    options.chunk_size = 1;
    options.chunks_per_minute = 60;
    options.bucket = bucket_shape::token_bucket;
    service_driver driver(options);
    EXPECT_EQ(driver.submit(60).status, 201);
    const auto refused = driver.submit(5);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(header_of(refused, "Retry-After"), "5");
    driver.advance(6s);
    EXPECT_EQ(driver.submit(5).status, 201);
    EXPECT_EQ(driver.service.counters().chunks_in_a_minute_max, 65u);
    driver.advance(120s);
    EXPECT_EQ(driver.submit(50).status, 201);
    EXPECT_EQ(driver.service.counters().chunks_in_a_minute_max, 65u);
}

TEST(rate_bucket, the_cap_of_jobs_in_flight_can_change) {
    testing::service_options options;
    options.settle_delay_ms = 10'000;
    service_driver driver(options);
    EXPECT_EQ(driver.submit(1).status, 201);
    EXPECT_EQ(driver.submit(1).status, 201);
    driver.service.set_max_inflight(2);
    EXPECT_EQ(driver.submit(1).status, 429);
    EXPECT_EQ(driver.service.unsettled_jobs(driver.now), 2u);
    driver.service.set_max_inflight(3);
    EXPECT_EQ(driver.submit(1).status, 201);
    driver.advance(10s);
    EXPECT_EQ(driver.service.unsettled_jobs(driver.now), 0u);
}

}  // namespace
}  // namespace vembed::service
