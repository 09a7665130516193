#include "policy/retry/outage.hpp"

#include <gtest/gtest.h>

namespace vembed::policy {
namespace {

using namespace std::chrono_literals;
using change = outage::change;

constexpr monotonic_time start{std::chrono::hours(1)};

TEST(outage, begins_when_no_try_has_had_a_response_for_a_while) {
    outage seen;
    EXPECT_EQ(seen.got_response(), change::none);
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(seen.got_no_response(start, "reset"), change::none) << "many connections cut at once";
    }
    EXPECT_EQ(seen.got_no_response(start + 1999ms, "reset"), change::none);
    EXPECT_FALSE(seen.lasts());
    EXPECT_EQ(seen.got_no_response(start + 2s, "refused"), change::begun);
    EXPECT_TRUE(seen.lasts());
    EXPECT_EQ(seen.since(), start);
    EXPECT_EQ(seen.got_no_response(start + 9s, "no route"), change::none) << "told once";
    EXPECT_EQ(seen.why(), "no route");
    EXPECT_EQ(seen.got_response(), change::ended);
    EXPECT_EQ(seen.got_response(), change::none);
    EXPECT_FALSE(seen.lasts());
}

TEST(outage, any_response_counts_from_anew) {
    outage seen;
    EXPECT_EQ(seen.got_no_response(start, "reset"), change::none);
    EXPECT_EQ(seen.got_response(), change::none);
    EXPECT_EQ(seen.got_no_response(start + 10s, "reset"), change::none);
    EXPECT_EQ(seen.got_no_response(start + 12s, "reset"), change::begun);
    EXPECT_EQ(seen.since(), start + 10s);
}

TEST(outage, reasons_are_brief) {
    EXPECT_EQ(brief_reason("the connection failed while connecting to a:1: Connection refused"), "Connection refused");
    EXPECT_EQ(brief_reason("the server closed the connection"), "the server closed the connection");
    EXPECT_EQ(brief_reason(std::string(100, 'x')).size(), 60u);
    EXPECT_EQ(brief_reason(""), "");
}

}  // namespace
}  // namespace vembed::policy
