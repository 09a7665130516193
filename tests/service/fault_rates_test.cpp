#include <gtest/gtest.h>
#include <vembed/testing/service.hpp>

#include "service/faults/fault_plan.hpp"
#include "support/scratch.hpp"

namespace vembed {
namespace {

using testing::fault_rates;

TEST(fault_rates, reads_a_list) {
    const fault_rates rates = fault_rates::parse("drop=0.02, busy=0.01,delay_ms_max=50,rate_limited=1").value();
    EXPECT_DOUBLE_EQ(rates.drop, 0.02);
    EXPECT_DOUBLE_EQ(rates.busy, 0.01);
    EXPECT_DOUBLE_EQ(rates.rate_limited, 1);
    EXPECT_EQ(rates.delay_ms_max, 50u);
    EXPECT_DOUBLE_EQ(rates.delay, 0);
}

TEST(fault_rates, empty_text_is_no_faults) {
    EXPECT_DOUBLE_EQ(fault_rates::parse("").value().drop, 0);
}

TEST(fault_rates, refuses_what_it_cannot_read_and_lists_the_names) {
    for (const char* text : {"drop=", "drop=2", "drop=-0.1", "drop=nan", "drop=inf", "drop=0.1x", "dropp=0.1", "=0.1",
                             "drop=0.1,,busy=0.1", "drop=0.1 busy=0.1", "delay_ms_max=0", "delay_ms_max=1.5",
                             "delay_ms_max=99999999999"}) {
        const auto rates = fault_rates::parse(text);
        ASSERT_FALSE(rates) << text;
        EXPECT_EQ(rates.error().kind, errc::invalid_argument) << text;
        EXPECT_NE(rates.error().message.find("invalid_receipt"), std::string::npos) << text;
    }
}

TEST(fault_rates, reads_a_file) {
    const testing::scratch_folder folder;
    const auto rates = fault_rates::parse(folder.write("plan", "# a plan\n drop = 0.5 # half\r\n\nrefund=0.25\n"));
    ASSERT_TRUE(rates) << rates.error();
    EXPECT_DOUBLE_EQ(rates->drop, 0.5);
    EXPECT_DOUBLE_EQ(rates->refund, 0.25);
}

TEST(fault_rates, names_a_file_that_is_not_there) {
    const auto rates = fault_rates::parse("/nonexistent/plan");
    ASSERT_FALSE(rates);
    EXPECT_EQ(rates.error().kind, errc::io);
    EXPECT_NE(rates.error().message.find("/nonexistent/plan"), std::string::npos);
}

TEST(http_date_forms, are_the_three_of_the_rfc) {
    const wall_time time = std::chrono::sys_days{std::chrono::year(1994) / 11 / 6} + std::chrono::hours(8) +
                           std::chrono::minutes(49) + std::chrono::seconds(37);
    EXPECT_EQ(service::http_date_in_form(time, 0), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(service::http_date_in_form(time, 1), "Sunday, 06-Nov-94 08:49:37 GMT");
    EXPECT_EQ(service::http_date_in_form(time, 2), "Sun Nov  6 08:49:37 1994");
}

}  // namespace
}  // namespace vembed
