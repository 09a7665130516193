#include <vembed/core/error.hpp>

#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <vembed/core/result.hpp>

namespace vembed {
namespace {

constexpr errc last_kind = errc::out_of_memory;

std::vector<errc> every_kind() {
    std::vector<errc> kinds;
    for (int i = 0; i <= static_cast<int>(last_kind); ++i) {
        kinds.push_back(static_cast<errc>(i));
    }
    return kinds;
}

TEST(error, every_kind_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (const errc kind : every_kind()) {
        const std::string_view name = to_string(kind);
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name;
    }
    EXPECT_EQ(to_string(errc::rate_limited), "rate_limited");
}

template <class Exception>
bool throws_exactly(errc kind) {
    try {
        throw_failure(error(kind, "text"));
    } catch (const error_exception& e) {
        return typeid(e) == typeid(Exception) && e.details().kind == kind;
    }
    return false;
}

TEST(error, every_kind_throws_the_exception_of_its_family) {
    EXPECT_TRUE(throws_exactly<argument_error>(errc::invalid_argument));
    EXPECT_TRUE(throws_exactly<argument_error>(errc::bad_input));
    EXPECT_TRUE(throws_exactly<api_error>(errc::invalid_request));
    EXPECT_TRUE(throws_exactly<api_error>(errc::unknown_model));
    EXPECT_TRUE(throws_exactly<api_error>(errc::not_found));
    EXPECT_TRUE(throws_exactly<api_error>(errc::verification_timeout));
    EXPECT_TRUE(throws_exactly<api_error>(errc::api));
    EXPECT_TRUE(throws_exactly<api_error>(errc::protocol));
    EXPECT_TRUE(throws_exactly<api_error>(errc::response_too_large));
    EXPECT_TRUE(throws_exactly<auth_error>(errc::unauthorized));
    EXPECT_TRUE(throws_exactly<trial_expired_error>(errc::trial_expired));
    EXPECT_TRUE(throws_exactly<quota_error>(errc::quota_exceeded));
    EXPECT_TRUE(throws_exactly<quota_error>(errc::request_too_large));
    EXPECT_TRUE(throws_exactly<quota_error>(errc::budget_exhausted));
    EXPECT_TRUE(throws_exactly<rate_limit_error>(errc::rate_limited));
    EXPECT_TRUE(throws_exactly<rate_limit_error>(errc::too_many_inflight));
    EXPECT_TRUE(throws_exactly<service_busy_error>(errc::service_busy));
    EXPECT_TRUE(throws_exactly<verification_failed_error>(errc::verification_failed));
    EXPECT_TRUE(throws_exactly<job_failed_error>(errc::job_failed));
    EXPECT_TRUE(throws_exactly<job_refunded_error>(errc::job_refunded));
    EXPECT_TRUE(throws_exactly<job_cancelled_error>(errc::job_cancelled));
    EXPECT_TRUE(throws_exactly<job_expired_error>(errc::job_expired));
    EXPECT_TRUE(throws_exactly<network_error>(errc::network));
    EXPECT_TRUE(throws_exactly<outcome_unknown_error>(errc::outcome_unknown));
    EXPECT_TRUE(throws_exactly<timeout_error>(errc::timeout));
    EXPECT_TRUE(throws_exactly<cancelled_error>(errc::cancelled));
    EXPECT_TRUE(throws_exactly<storage_error>(errc::io));
    EXPECT_TRUE(throws_exactly<storage_error>(errc::folder_mismatch));
    EXPECT_TRUE(throws_exactly<storage_error>(errc::journal_damaged));
    EXPECT_TRUE(throws_exactly<callback_error>(errc::callback_failed));
    EXPECT_TRUE(throws_exactly<memory_error>(errc::out_of_memory));
}

TEST(error, value_of_a_failed_result_throws_the_typed_exception_with_its_details) {
    error f(errc::rate_limited, "slow down");
    f.retry_after = std::chrono::seconds(7);
    const result<int> failed = f;
    try {
        (void)failed.value();
        FAIL();
    } catch (const rate_limit_error& e) {
        EXPECT_EQ(e.details().retry_after, std::chrono::seconds(7));
        EXPECT_STREQ(e.what(), "rate_limited: slow down (retry after 7 s)");
    }
    EXPECT_EQ(result<int>(5).value(), 5);
}

TEST(error, describes_what_is_known) {
    error f(errc::verification_failed, "the roots differ");
    EXPECT_EQ(f.describe(), "verification_failed: the roots differ");
    f.http_status = 422;
    f.code = "verification_failed";
    f.job_id = "j1";
    f.receipt_id = "r1";
    std::ostringstream out;
    out << f;
    EXPECT_EQ(out.str(),
              "verification_failed: the roots differ (HTTP 422, code verification_failed, job j1, receipt r1)");
}

TEST(error, text_of_the_service_cannot_write_on_the_readers_terminal_nor_flood_it) {
    error f(errc::api, std::string("\x1b[2J\r\n\0\x7f", 8) + "é");
    f.code = "a\nb";
    EXPECT_EQ(f.describe(), "api: \\x1b[2J\\x0d\\x0a\\x00\\x7fé (code a\\x0ab)");
    f.message.assign(100'000, 'x');
    EXPECT_LT(f.describe().size(), 1000u);
}

}  // namespace
}  // namespace vembed
