#include "policy/retry/post_outcome.hpp"

#include <array>

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

constexpr std::array authors{response_author::uncertain, response_author::service, response_author::intermediary};

post_outcome classify(std::uint64_t bytes_written, bool complete, int status, response_author author) {
    post_evidence evidence;
    evidence.bytes_written = bytes_written;
    evidence.response_complete = complete;
    evidence.status = status;
    evidence.author = author;
    return classify_post(evidence);
}

TEST(post_outcome, without_a_whole_response_only_the_bytes_written_count) {
    for (const int status : {0, 100, 200, 201, 302, 400, 413, 429, 500, 503}) {
        for (const response_author author : authors) {
            EXPECT_EQ(classify(0, false, status, author), post_outcome::not_sent) << status;
            EXPECT_EQ(classify(1, false, status, author), post_outcome::unknown) << status;
            EXPECT_EQ(classify(1u << 30, false, status, author), post_outcome::unknown) << status;
        }
    }
}

TEST(post_outcome, a_whole_response_decides_by_status_and_author) {
    for (int status = 0; status <= 999; ++status) {
        for (const response_author author : authors) {
            const bool refused =
                author == response_author::service || (author == response_author::intermediary && status >= 300 &&
                                                       status <= 499 && status != 408 && status != 499);
            const post_outcome wanted = status >= 200 && status <= 299 ? post_outcome::accepted
                                        : refused                      ? post_outcome::rejected
                                                                       : post_outcome::unknown;
            EXPECT_EQ(classify(500, true, status, author), wanted) << status;
            EXPECT_EQ(classify(0, true, status, author), wanted) << "a response proves that something was sent";
        }
    }
}

}  // namespace
}  // namespace vembed::policy
