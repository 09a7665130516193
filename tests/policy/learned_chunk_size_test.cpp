#include "policy/learned_chunk_size.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

TEST(LearnedChunkSize, JobsRaiseItToWhatTheyShow) {
    learned_chunk_size size;
    EXPECT_EQ(size.rows(), 0U);
    size.job_took(100, 4);
    EXPECT_EQ(size.rows(), 25U);
    size.chunk_held(30);
    EXPECT_EQ(size.rows(), 30U);
    size.job_took(10, 1);
    EXPECT_EQ(size.rows(), 30U) << "a small job shows little";
    size.job_took(0, 0);
    size.job_took(3, 9);
    EXPECT_EQ(size.rows(), 30U) << "no job is charged with that";
}

TEST(LearnedChunkSize, AJobThatCostsMoreLowersIt) {
    learned_chunk_size size;
    size.chunk_held(50);
    size.job_took(100, 5);
    EXPECT_EQ(size.rows(), 20U);
    size.chunk_held(50);
    EXPECT_EQ(size.rows(), 20U) << "a chunk of a job from before";
    size.job_took(100, 5);
    EXPECT_EQ(size.rows(), 20U);
    size.job_took(200, 4);
    EXPECT_EQ(size.rows(), 50U) << "the newest job shows that it grew again";
}

}  // namespace
}  // namespace vembed::policy
