#include "cli_parts/exit_code.hpp"

#include <gtest/gtest.h>

#include "cli/report/attest_report.hpp"
#include "cli/report/embed_report.hpp"

namespace vembed::cli {
namespace {

TEST(exit_code, of_each_kind_of_failure) {
    struct row {
        errc kind;
        int status;
    };
    const row table[] = {
        {errc::invalid_argument, 2},
        {errc::invalid_request, 1},
        {errc::unknown_model, 1},
        {errc::unauthorized, 4},
        {errc::trial_expired, 4},
        {errc::quota_exceeded, 75},
        {errc::not_found, 1},
        {errc::request_too_large, 1},
        {errc::verification_failed, 5},
        {errc::rate_limited, 75},
        {errc::too_many_inflight, 75},
        {errc::service_busy, 75},
        {errc::verification_timeout, 1},
        {errc::api, 1},
        {errc::network, 75},
        {errc::outcome_unknown, 1},
        {errc::protocol, 1},
        {errc::response_too_large, 1},
        {errc::job_failed, 1},
        {errc::job_refunded, 1},
        {errc::job_cancelled, 1},
        {errc::job_expired, 1},
        {errc::timeout, 1},
        {errc::cancelled, 75},
        {errc::io, 1},
        {errc::bad_input, 1},
        {errc::folder_mismatch, 7},
        {errc::run_unfinished, 75},
        {errc::model_changed, 1},
        {errc::journal_damaged, 1},
        {errc::budget_exhausted, 75},
        {errc::callback_failed, 1},
        {errc::out_of_memory, 1},
    };
    ASSERT_EQ(std::size(table), static_cast<std::size_t>(errc::out_of_memory) + 1) << "a kind is missing here";
    for (const row& expected : table) {
        EXPECT_EQ(static_cast<int>(exit_code_of(error(expected.kind, ""))), expected.status)
            << to_string(expected.kind);
    }
}

TEST(exit_code, of_what_cannot_be_reached_until_somebody_changes_something) {
    error refused(errc::network, "the certificate was refused");
    refused.lasting = true;
    EXPECT_EQ(exit_code_of(refused), exit_code::error);
}

TEST(exit_code, of_a_report) {
    bulk_report report;
    EXPECT_EQ(exit_code_of(report), exit_code::done);
    report.rows_failed = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::rows_failed);
    for (const stop_reason reason :
         {stop_reason::stopped, stop_reason::quota, stop_reason::parked_batches, stop_reason::service_busy}) {
        report.reason = reason;
        EXPECT_EQ(static_cast<int>(exit_code_of(report)), 75) << to_string(reason);
    }
    report.reason = stop_reason::chunk_budget;
    EXPECT_EQ(exit_code_of(report), exit_code::error) << "the same command again would buy nothing";
    report.reason = stop_reason::faulty_jobs;
    report.jobs_left.emplace_back().at_fault = true;
    EXPECT_EQ(exit_code_of(report), exit_code::error);
    report.jobs_left.emplace_back().check_failed = true;
    EXPECT_EQ(exit_code_of(report), exit_code::verification_failed);
    report.jobs_left.clear();
    report.jobs_unverified = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::verification_failed);
}

TEST(exit_code, of_an_attest_report_is_that_of_the_worst) {
    attest_report report;
    EXPECT_EQ(exit_code_of(report), exit_code::done);
    report.rows_blank = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::done);
    report.rows_refused = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::rows_failed);
    report.rows_timed_out = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::unfinished);
    report.rows_rejected = 1;
    EXPECT_EQ(exit_code_of(report), exit_code::verification_failed);
    report.ended_by = error(errc::quota_exceeded, "");
    EXPECT_EQ(exit_code_of(report), exit_code::verification_failed);
    report.ended_by = error(errc::unauthorized, "");
    EXPECT_EQ(exit_code_of(report), exit_code::unauthorized);
    report = attest_report();
    report.stopped = true;
    EXPECT_EQ(exit_code_of(report), exit_code::unfinished);
}

}  // namespace
}  // namespace vembed::cli
