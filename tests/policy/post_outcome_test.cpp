#include "policy/post_outcome.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

post_outcome classify(std::uint64_t bytes_written, bool complete, int status, bool documented) {
    post_evidence evidence;
    evidence.bytes_written = bytes_written;
    evidence.reply_complete = complete;
    evidence.status = status;
    evidence.documented_error_body = documented;
    return classify_post(evidence);
}

TEST(post_outcome, without_a_whole_reply_only_the_bytes_written_count) {
    for (const int status : {0, 100, 200, 201, 302, 400, 413, 429, 500, 503}) {
        for (const bool documented : {false, true}) {
            EXPECT_EQ(classify(0, false, status, documented), post_outcome::not_sent) << status;
            EXPECT_EQ(classify(1, false, status, documented), post_outcome::unknown) << status;
            EXPECT_EQ(classify(1u << 30, false, status, documented), post_outcome::unknown) << status;
        }
    }
}

// The whole table for a reply that was read: every status, with and without the service's own error body.
TEST(post_outcome, a_whole_reply_decides_by_status_and_author) {
    for (int status = 0; status <= 999; ++status) {
        for (const bool documented : {false, true}) {
            post_outcome wanted = post_outcome::unknown;
            if (status >= 200 && status <= 299) {
                wanted = post_outcome::accepted;
            } else if (status >= 300 && status <= 499) {
                wanted = status == 408 && !documented ? post_outcome::unknown : post_outcome::rejected;
            } else if (status >= 500 && status <= 999) {
                wanted = documented && status != 504 ? post_outcome::rejected : post_outcome::unknown;
            }
            EXPECT_EQ(classify(500, true, status, documented), wanted) << status << ' ' << documented;
            EXPECT_EQ(classify(0, true, status, documented), wanted) << "a reply proves that something was sent";
        }
    }
}

TEST(post_outcome, cases_that_cost_money_when_wrong) {
    EXPECT_EQ(classify(900, true, 502, false), post_outcome::unknown) << "a proxy's page after it passed the job on";
    EXPECT_EQ(classify(900, true, 503, true), post_outcome::rejected) << "service_busy";
    EXPECT_EQ(classify(900, true, 503, false), post_outcome::unknown);
    EXPECT_EQ(classify(900, true, 504, true), post_outcome::unknown) << "the work had begun";
    EXPECT_EQ(classify(900, true, 500, false), post_outcome::unknown);
    EXPECT_EQ(classify(900, true, 429, false), post_outcome::rejected);
    EXPECT_EQ(classify(900, true, 402, true), post_outcome::rejected);
    EXPECT_EQ(classify(900, true, 307, false), post_outcome::rejected) << "a redirect is not followed";
}

}  // namespace
}  // namespace vembed::policy
