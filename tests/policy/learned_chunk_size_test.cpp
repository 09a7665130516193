#include "policy/packing/learned_chunk_size.hpp"

#include <string>

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

class expectation {
public:
    std::uint64_t said;
    std::uint64_t shown;
    std::uint64_t remembered;
    bool remembered_whole;
    std::uint64_t uncapped;
    std::uint64_t capped;
};

TEST(ExpectedChunkSize, TheCallersWordCountsAndUnderACapTheSmallestSizeThatIsKnown) {
    const expectation table[] = {
        {0, 0, 0, false, 0, 0},         // Nothing is known.
        {0, 0, 50, true, 50, 50},       // What is remembered will do.
        {0, 0, 5, false, 5, 5},         // So will the least that a chunk takes.
        {0, 30, 50, true, 50, 30},      // Nobody said anything; under a cap the smaller of what was seen.
        {0, 50, 5, true, 50, 5},        // The service may have changed since either.
        {0, 50, 5, false, 50, 50},      // At least 5.
        {100, 0, 0, false, 100, 100},   // Nobody else knows.
        {100, 0, 50, true, 100, 50},    // Smaller chunks are more of them.
        {100, 0, 50, false, 100, 100},  // At least 50: no contradiction.
        {50, 0, 100, true, 50, 50},     // The word is the smaller one.
        {100, 0, 100, true, 100, 100},  // They agree.
        {100, 20, 0, false, 100, 20},   // The run's own jobs showed it.
        {100, 20, 50, true, 100, 20},   // The smallest of three.
        {100, 70, 50, true, 100, 50},   // Wherever it comes from.
        {10, 70, 50, true, 10, 10},
    };
    for (const expectation& one : table) {
        prior_chunk_sizes known;
        known.said = one.said;
        known.shown = one.shown;
        known.remembered = one.remembered;
        known.remembered_whole = one.remembered_whole;
        SCOPED_TRACE(std::to_string(one.said) + " said, " + std::to_string(one.shown) + " shown, " +
                     std::to_string(one.remembered) + " remembered");
        EXPECT_EQ(expected_chunk_size(known, false), one.uncapped);
        EXPECT_EQ(expected_chunk_size(known, true), one.capped);
    }
}

TEST(ExpectedChunkSize, WhatARunWentByBeforeGivesWayUnderACap) {
    prior_chunk_sizes known;
    known.gone_by = 100;  // As somebody said.
    EXPECT_EQ(expected_chunk_size(known, true), 100U) << "nobody knows better";
    known.remembered = 5;
    EXPECT_EQ(expected_chunk_size(known, true), 100U) << "a chunk takes at least 5";
    known.remembered_whole = true;
    EXPECT_EQ(expected_chunk_size(known, true), 5U);
    EXPECT_EQ(expected_chunk_size(known, false), 100U);
    known.said = 20;
    EXPECT_EQ(expected_chunk_size(known, false), 20U);
    EXPECT_EQ(expected_chunk_size(known, true), 5U);
    EXPECT_FALSE(jobs_showed_size(3, 3));
    EXPECT_TRUE(jobs_showed_size(4, 3));
}

}  // namespace
}  // namespace vembed::policy
