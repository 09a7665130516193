// An account's count that is behind: what a job accepted just now has not been charged yet must not stand for a batch
// without an answer that was.

#include <boost/json/serialize.hpp>

#include "support/falsifier.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

// Five jobs one after the other, 45 s each. The second is accepted and charged, and its answer lost; the charge of the
// last shows in the account a minute late.
TEST(BulkLateCharge, AFreshJobsChargeMayBeMissingAndNothingIsDecidedBeforeThat) {
    service_options slow = false_world::options();
    slow.settle_delay_ms = 45'000;
    false_world w(slow);
    remembered_run run;
    run.bulk.on_unknown = unknown_policy::park;
    run.bulk.jobs_in_flight = 1;
    run.bulk.sole_use = true;
    std::uint64_t submissions = 0;
    monotonic_time behind_until{};
    const auto rewrite = [&](const std::string& target, std::string& body) {
        if (target == "/jobs") {
            ++submissions;
            body = submissions == 2 ? "lost" : body;
            behind_until = submissions == 5 ? deadline_after(w.env->now(), 1min) : behind_until;
        }
        if (target == "/account" && w.env->now() < behind_until) {
            boost::json::object account = boost::json::parse(body).as_object();
            account["chunks_consumed_period"] = account.at("chunks_consumed_period").to_number<std::uint64_t>() - 1;
            body = boost::json::serialize(account);
        }
    };
    w.net->rewrite = rewrite;
    const result<bulk_report> report = run.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(submissions, 5U) << "the batch that was charged is not bought again";
    EXPECT_EQ(w.remote->counters().jobs_created, 5U);
    EXPECT_EQ(report->reason, stop_reason::parked_batches) << report->message;
    ASSERT_EQ(report->unknown.size(), 1U);
    EXPECT_FALSE(report->unknown.front().not_charged);
    // A process that begins at once knows no more.
    w.again();
    w.net->rewrite = rewrite;
    run.next_process();
    const result<bulk_report> next = run.in(w);
    ASSERT_TRUE(next) << next.error();
    EXPECT_EQ(w.remote->counters().jobs_created, 5U);
    EXPECT_EQ(next->rows_done, 400U);
}

}  // namespace
}  // namespace vembed::testing
