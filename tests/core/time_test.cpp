#include <vembed/core/time.hpp>

#include <gtest/gtest.h>
#include <vembed/core/message.hpp>

namespace vembed {
namespace {

using namespace std::chrono_literals;

TEST(deadline_after, table) {
    const monotonic_time now{1h};
    EXPECT_EQ(deadline_after(now, 5s), now + 5s);
    EXPECT_EQ(deadline_after(now, 0s), now);
    EXPECT_EQ(deadline_after(now, -5s), now);
    EXPECT_EQ(deadline_after(now, monotonic_clock::duration::min()), now);
    EXPECT_EQ(deadline_after(now, monotonic_clock::duration::max()), no_deadline);
    EXPECT_EQ(deadline_after(no_deadline - 1ns, 1ns), no_deadline);
    EXPECT_EQ(deadline_after(no_deadline - 2ns, 1ns), no_deadline - 1ns);
    EXPECT_EQ(deadline_after(no_deadline, 1s), no_deadline);
}

TEST(http_method, names) {
    EXPECT_EQ(to_string(http_method::get), "GET");
    EXPECT_EQ(to_string(http_method::post), "POST");
}

}  // namespace
}  // namespace vembed
