#include "service/jobs/job_store.hpp"

#include <gtest/gtest.h>

namespace vembed::service {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<job_record> job_of(int number) {
    auto job = std::make_unique<job_record>();
    job->id = "job_" + std::to_string(number);
    job->receipt_id = "rcp_" + std::to_string(number);
    job->chunk_size = 1;
    job->rows = 1;
    job->texts.append("text");
    job->texts.end_text();
    return job;
}

class job_store_test : public ::testing::Test {
protected:
    const std::uint64_t one_ = job_of(0)->memory();
    job_store store_{3 * one_ + one_ / 2};
    monotonic_time now_{1h};

    bool add(int number) {
        if (!store_.make_room(one_, now_)) {
            return false;
        }
        store_.add(job_of(number));
        return true;
    }
};

TEST_F(job_store_test, forgets_delivered_jobs_first_delivered_first) {
    ASSERT_TRUE(add(1));
    ASSERT_TRUE(add(2));
    ASSERT_TRUE(add(3));
    store_.delivered(*store_.find("job_3"));
    store_.delivered(*store_.find("job_1"));
    store_.delivered(*store_.find("job_3"));
    ASSERT_TRUE(add(4));
    EXPECT_EQ(store_.find("job_3"), nullptr);
    EXPECT_EQ(store_.find_receipt("rcp_3"), nullptr);
    ASSERT_TRUE(add(5));
    EXPECT_EQ(store_.find("job_1"), nullptr);
    EXPECT_NE(store_.find("job_2"), nullptr);
    EXPECT_FALSE(add(6));
    EXPECT_EQ(store_.size(), 3u);
}

TEST_F(job_store_test, forgets_what_nobody_fetched_for_a_day) {
    for (int i = 0; i < 3; ++i) {
        auto job = job_of(i);
        job->settles_at = now_;
        store_.add(std::move(job));
    }
    now_ += 24h;
    EXPECT_FALSE(add(7));
    now_ += 1s;
    EXPECT_TRUE(add(7));
    EXPECT_EQ(store_.find("job_0"), nullptr);
    EXPECT_NE(store_.find("job_1"), nullptr);
}

TEST_F(job_store_test, refuses_a_job_larger_than_all_room) {
    EXPECT_FALSE(store_.make_room(100 * one_, now_));
    EXPECT_TRUE(add(1));
}

TEST_F(job_store_test, keeps_its_count_of_bytes_over_many_jobs) {
    for (int i = 0; i < 10'000; ++i) {
        ASSERT_TRUE(add(i));
        store_.delivered(*store_.find("job_" + std::to_string(i)));
        ASSERT_LE(store_.memory(), 3 * one_ + one_ / 2);
    }
    EXPECT_EQ(store_.size(), 3u);
}

}  // namespace
}  // namespace vembed::service
