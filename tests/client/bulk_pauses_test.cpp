// A service that asks for a long quiet: what is paid for is still fetched, nothing more is bought, and the run says
// when to come back.

#include "support/falsifier.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

canned refusal(int status, const std::string& code, const std::string& retry_after) {
    return {status, R"({"error":")" + code + R"(","message":"come back later"})", {{"Retry-After", retry_after}}};
}

class slow_world : public false_world {
public:
    slow_world() : false_world(slow()) {}

private:
    static service_options slow() {
        service_options chosen = options();
        chosen.settle_delay_ms = 45'000;
        return chosen;
    }
};

TEST(BulkPauses, ASubmissionRefusedForADayDoesNotHoldUpThePollsForPaidJobs) {
    for (const canned& refused : {refusal(503, "service_busy", "86400"), refusal(429, "too_many_inflight", "86400"),
                                  refusal(429, "rate_limited", "86400"), refusal(503, "service_busy", "7200")}) {
        slow_world w;
        remembered_run run;
        std::uint64_t submissions = 0;
        w.net->answer = [&submissions, &refused](const std::string& target) {
            const bool too_many = target == "/jobs" && ++submissions > 3;
            return too_many ? std::optional(refused) : std::nullopt;
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_TRUE(report->reason == stop_reason::service_busy || report->reason == stop_reason::quota)
            << to_string(report->reason);
        EXPECT_EQ(report->rows_done, 300U) << refused.body;
        EXPECT_TRUE(report->jobs_left.empty()) << refused.body;
        ASSERT_TRUE(report->resume_after) << refused.body;
        EXPECT_GE(*report->resume_after, 100min);
        EXPECT_LE(*report->resume_after, 24h + 10s);
        EXPECT_EQ(run.journal.count(batch_state::accepted), 0U);
        EXPECT_LE(w.now(), 10min) << refused.body;
        EXPECT_EQ(w.remote->counters().jobs_created, 3U);
    }
}

TEST(BulkPauses, APollRefusedForADayKeepsItsJobWaitingForABoundedTime) {
    for (const canned& refused : {refusal(503, "service_busy", "86400"), refusal(429, "too_many_inflight", "86400")}) {
        slow_world w;
        remembered_run run;
        std::string victim;
        w.net->rewrite = [&victim](const std::string& target, std::string& body) {
            if (target == "/jobs" && victim.empty()) {
                victim = std::string(boost::json::parse(body).as_object().at("id").as_string());
            }
        };
        w.net->answer = [&victim, &w, &refused](const std::string& target) {
            const bool meant = w.remote->counters().jobs_created == 5 && !victim.empty() &&
                               target.starts_with("/jobs/" + victim + "/wait");
            return meant ? std::optional(refused) : std::nullopt;
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::service_busy) << report->message;
        EXPECT_EQ(report->rows_done, 400U);
        ASSERT_EQ(report->jobs_left.size(), 1U);
        EXPECT_EQ(report->jobs_left.front().job_id, victim);
        EXPECT_LE(w.now(), 45min);
        EXPECT_LE(w.net->requests, 200U);
    }
}

TEST(BulkPauses, AServiceThatAlwaysSaysAtOnceIsNotAskedInALoop) {
    for (const canned& refused : {refusal(503, "service_busy", "0"), refusal(429, "rate_limited", "0"),
                                  refusal(429, "too_many_inflight", "-0"), refusal(503, "service_busy", "0.0")}) {
        false_world w;
        remembered_run run;
        std::uint64_t submissions = 0;
        w.net->answer = [&submissions, &refused](const std::string& target) {
            submissions += target == "/jobs" ? 1 : 0;
            return target == "/jobs" ? std::optional(refused) : std::nullopt;
        };
        const result<bulk_report> report = run.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::service_busy) << report->message;
        EXPECT_EQ(report->rows_done, 0U);
        EXPECT_TRUE(run.journal.batches.empty());
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(w.now()).count();
        EXPECT_LE(submissions, static_cast<std::uint64_t>(2 * seconds + 10)) << seconds;
    }
}

TEST(BulkPauses, APollThatIsAlwaysToldAtOnceIsNotAskedInALoop) {
    false_world w;
    remembered_run run;
    std::uint64_t polls = 0;
    w.net->answer = [&polls](const std::string& target) {
        const bool asked = asks_for_job(target, "/wait");
        polls += asked ? 1 : 0;
        return asked ? std::optional(refusal(503, "service_busy", "0")) : std::nullopt;
    };
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::service_busy) << report->message;
    EXPECT_EQ(report->jobs_left.size(), 5U);
    EXPECT_EQ(run.journal.count(batch_state::accepted), 5U);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(w.now()).count();
    EXPECT_LE(polls, static_cast<std::uint64_t>(2 * seconds + 10)) << seconds;
}

}  // namespace
}  // namespace vembed::testing
