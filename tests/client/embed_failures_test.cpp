// What embed() does when something goes wrong: each kind of failure, deadlines at every stage, and the account's
// limits.

#include <gtest/gtest.h>

#include "support/corpora.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

result<embeddings> embed_with(void (*fault)(fault_rates&), std::size_t texts = 250) {
    service_options options;
    fault(options.faults);
    world w{options};
    return w.run(w.subject->embed(small_model, corpus(texts)));
}

TEST(EmbedFailures, AFailedJobNamesItsFailedChunks) {
    const auto e = embed_with([](fault_rates& f) { f.failed_chunk = 1; });
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::job_failed);
    EXPECT_FALSE(e.error().job_id.empty());
    ASSERT_FALSE(e.error().failed_chunks.empty());
    EXPECT_LT(e.error().failed_chunks[0].row_start, e.error().failed_chunks[0].row_end);
    EXPECT_THROW((void)e.value(), job_failed_error);
}

TEST(EmbedFailures, ARefundedJobIsNoSuccess) {
    const auto e = embed_with([](fault_rates& f) { f.refund = 1; });
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::job_refunded);
    EXPECT_FALSE(e.error().job_id.empty());
    EXPECT_THROW((void)e.value(), job_refunded_error);
}

TEST(EmbedFailures, AnInvalidReceiptWithholdsTheMatrixAndSaysWhy) {
    const auto e = embed_with([](fault_rates& f) { f.invalid_receipt = 1; });
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::verification_failed);
    EXPECT_FALSE(e.error().receipt_id.empty());
    EXPECT_FALSE(e.error().job_id.empty());
    EXPECT_FALSE(e.error().checks.empty());
    EXPECT_FALSE(e.error().errors.empty());
    EXPECT_THROW((void)e.value(), verification_failed_error);
}

// Several chunks: those that match show how commitments are made. A single one: two readings that differ show it.
TEST(EmbedFailures, CorruptOutputIsWithheld) {
    for (const std::size_t texts : {250U, 50U}) {
        const auto e = embed_with([](fault_rates& f) { f.corrupt = 1; }, texts);
        ASSERT_FALSE(e) << texts;
        EXPECT_EQ(e.error().kind, errc::verification_failed) << e.error();
        EXPECT_FALSE(e.error().job_id.empty());
    }
}

TEST(EmbedFailures, AWrongShapeBreaksTheContract) {
    const auto e = embed_with([](fault_rates& f) { f.wrong_shape = 1; });
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::protocol);
}

TEST(EmbedFailures, AnOutputThatNeverComesWholeIsANetworkFailure) {
    const auto e = embed_with([](fault_rates& f) { f.truncate = 1; });
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::network);
}

TEST(EmbedFailures, AProxysPageInAnswerToASubmissionLeavesItUnknown) {
    service_options options;
    options.faults.bad_gateway = 1;
    client_options chosen;
    chosen.learn_limits = false;  // Else nothing is submitted, since nothing shows that it is the service.
    world w{options, 1, chosen};
    const auto e = w.run(w.subject->embed(small_model, {"a text"}));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::outcome_unknown);
    EXPECT_THROW((void)e.value(), outcome_unknown_error);
}

TEST(EmbedFailures, UnknownModel) {
    world w{service_options()};
    const auto e = w.run(w.subject->embed("no-such-model", {"a text"}));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::unknown_model);
    EXPECT_EQ(e.error().http_status, 400);
}

TEST(EmbedFailures, AKeyTheServiceDoesNotKnow) {
    client_options options;
    options.api_key = secret::from_key("cyb_not_the_right_one").value();
    world w{service_options(), 1, options};
    const auto e = w.run(w.subject->embed(small_model, {"a text"}));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::unauthorized);
    EXPECT_THROW((void)e.value(), auth_error);
    EXPECT_EQ(w.network->requests, 1U) << "nothing is to be tried again";
}

asio::awaitable<result<int>> let_pass(std::shared_ptr<environment> env, std::chrono::hours time) {
    const monotonic_time until = deadline_after(env->now(), time);
    co_await sleep_until(env, until);
    co_return 0;
}

TEST(EmbedFailures, TheTrialEnds) {
    service_options options;
    options.account_tier = tier::trial;
    world w{options};
    ASSERT_TRUE(w.run(w.subject->embed(small_model, {"a text"})));
    ASSERT_TRUE(w.run(let_pass(w.env, std::chrono::hours(24 * 15))));
    const auto e = w.run(w.subject->embed(small_model, {"a text"}));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::trial_expired) << e.error();
}

TEST(EmbedFailures, TheDaysQuotaIsUsedUp) {
    service_options options;
    options.chunks_per_day = 1;
    world w{options};
    ASSERT_TRUE(w.run(w.subject->embed(small_model, {"a text"})));
    const std::uint64_t before = w.network->requests;
    const auto e = w.run(w.subject->embed(small_model, {"another"}));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::quota_exceeded);
    ASSERT_TRUE(e.error().retry_after);
    EXPECT_GT(*e.error().retry_after, 23h);
    EXPECT_EQ(w.network->requests, before) << "the ledger knows it without asking";
}

TEST(EmbedFailures, ARetryAfterBeyondTheDeadlineIsToldAtOnce) {
    service_options options;
    options.faults.rate_limited = 1;
    options.faults.retry_after_s_max = 90;
    world w{options};
    call_options call;
    call.timeout = 1s;
    const auto e = w.run(w.subject->embed(job_request::for_model(small_model, {"a text"}), call));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::rate_limited) << e.error();
    ASSERT_TRUE(e.error().retry_after);
    EXPECT_GE(*e.error().retry_after, 1s);
    EXPECT_LT(w.now(), 100ms);
    EXPECT_THROW((void)e.value(), rate_limit_error);
}

TEST(EmbedFailures, ABusyServiceIsWaitedForWithinTheDeadline) {
    service_options options;
    options.seed = 3;
    options.faults.busy = 0.5;
    options.faults.rate_limited = 0.3;
    world w{options};
    const auto e = w.run(w.subject->embed(small_model, corpus(50)));
    ASSERT_TRUE(e) << e.error();
    EXPECT_EQ(e->rows, embedded(corpus(50)));
    EXPECT_EQ(w.network->early_requests, 0U);
}

// However long the call may take, it ends by then, and what it says is what happened.
TEST(EmbedFailures, DeadlinesHoldAtEveryStage) {
    service_options options;
    options.settle_delay_ms = 40;
    std::map<errc, int> kinds;
    bool succeeded = false;
    for (auto timeout = 1ms; !succeeded && timeout < 3s; timeout += 1ms) {
        world w{options};
        call_options call;
        call.timeout = timeout;
        const auto e = w.run(w.subject->embed(job_request::for_model(small_model, corpus(30)), call));
        EXPECT_LE(w.now(), timeout);
        succeeded = e.has_value();
        if (!e) {
            ++kinds[e.error().kind];
        }
    }
    EXPECT_TRUE(succeeded);
    EXPECT_GT(kinds[errc::timeout], 10);
    EXPECT_GT(kinds[errc::outcome_unknown], 0) << "a submission was under way in one of them";
    EXPECT_EQ(kinds.size(), 2U);
}

TEST(EmbedFailures, TheFirstFailureOfSeveralJobsEndsAll) {
    service_options options;
    options.seed = 9;
    options.faults.failed_chunk = 0.3;
    options.settle_delay_ms = 200;
    world w{options};
    const auto e = w.run(w.subject->embed(small_model, corpus(9'500)));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, errc::job_failed) << e.error();
}

TEST(EmbedFailures, JobsOverAHiddenLimitAreHalved) {
    service_options options;
    options.account_tier = tier::trial;  // 100 chunks a request
    options.chunk_size = 1;
    options.chunks_per_minute = 1'000;
    options.chunks_per_day = 1'000;
    world w{options};
    const auto e = w.run(w.subject->embed(small_model, corpus(350)));
    ASSERT_TRUE(e) << e.error();
    EXPECT_EQ(e->rows, embedded(corpus(350)));
    std::uint64_t next = 0;
    for (const embedded_job& job : e->jobs) {
        EXPECT_EQ(job.first_row, next);
        EXPECT_LE(job.row_count, 100U);
        next += job.row_count;
    }
    EXPECT_EQ(next, 350U);
    EXPECT_EQ(w.remote->counters().chunks_charged, 350U);
}

TEST(EmbedFailures, NothingIsSubmittedWhereNothingShowsThatItIsTheService) {
    service_options options;
    options.faults.empty_error = 1;
    world w{options};
    for (int i = 0; i < 3; ++i) {
        const auto e = w.run(w.subject->embed(small_model, {"a text"}));
        ASSERT_FALSE(e);
        EXPECT_EQ(e.error().kind, errc::network);
    }
    EXPECT_EQ(w.network->requests, 3U * 6U) << "six tries of /account by each call";
    EXPECT_EQ(w.remote->counters().jobs_created, 0U);
}

bulk_options bulk_of(std::uint32_t rows_per_job) {
    bulk_options options;
    options.model = small_model;
    options.rows_per_job = rows_per_job;
    return options;
}

asio::awaitable<void> run_bulk(client* from, row_source* source, row_sink* sink, bool* ended) {
    const auto report = co_await from->embed_corpus(*source, *sink, bulk_of(10));
    *ended = true;
    EXPECT_TRUE(report) << report.error();
}

TEST(EmbedFailures, AnInteractiveCallGoesAheadOfABulkRunsNextBatch) {
    client_options options;
    options.throttle.requests_per_minute = 10;
    world w{service_options(), 1, options};
    vector_source source(corpus(2'000));
    matrix rows;
    matrix_sink sink(rows);
    bool bulk_ended = false;
    asio::co_spawn(w.context, run_bulk(&*w.subject, &source, &sink, &bulk_ended), asio::detached);
    w.env->run({}, deadline_after(w.env->now(), 90s));
    ASSERT_FALSE(bulk_ended);
    int bulk_posts = 0;
    bool sent = false;
    w.network->on_request = [&](const transport_request& request) {
        sent = sent || request.body.find("urgent") != std::string::npos;
        bulk_posts += request.target == "/jobs" && !sent ? 1 : 0;
    };
    const auto e = w.run(w.subject->embed(small_model, {"an urgent text"}));
    ASSERT_TRUE(e) << e.error();
    EXPECT_TRUE(sent);
    EXPECT_EQ(bulk_posts, 0);
    w.env->run([&] { return bulk_ended; });
    EXPECT_EQ(rows, embedded(corpus(2'000)));
}

}  // namespace
}  // namespace vembed::testing
