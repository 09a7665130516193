// Bulk runs: who is submitted when, what is learned, what ends a run and what it then says.

#include <gtest/gtest.h>

#include "support/corpus_run.hpp"
#include "support/mortal.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

TEST(BulkBehaviour, RowsLandAtTheirIndexWhateverOrderJobsEndIn) {
    service_options options;
    options.faults.delay = 0.5;
    options.faults.delay_ms_max = 20'000;
    options.settle_delay_ms = 500;
    world w{options};
    corpus_run r(500);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->rows_done, 500U);
    EXPECT_EQ(report->jobs, 50U);
    EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged);
    EXPECT_EQ(report->dimensions, 384U);
    EXPECT_EQ(r.sink.finished, 500U);
    r.expect_true_rows();
}

// The first job shows what a job costs; only its acceptance is waited for, not its end.
TEST(BulkBehaviour, OnlyTheFirstSubmissionIsWaitedForAlone) {
    service_options options;
    options.settle_delay_ms = 10'000;
    world w{options};
    corpus_run r(80);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(w.remote->counters().jobs_created, 8U);
    EXPECT_LT(w.now(), 11s) << "eight jobs of ten seconds at once";
}

TEST(BulkBehaviour, WhatDoesNotFitIsNotBought) {
    world w{service_options()};
    corpus_run r(50);
    r.sink.no_room = error(errc::io, "no room");
    const auto report = r.in(w);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message, "no room");
    EXPECT_EQ(r.sink.expected_rows, 50U);
    EXPECT_EQ(r.sink.expected_dimensions, 384U);
    EXPECT_EQ(w.remote->counters().jobs_created, 0U);
}

TEST(BulkBehaviour, WithoutACatalogTheFirstOutputShowsWhatDoesNotFit) {
    service_options options;
    options.settle_delay_ms = 1'000;
    world w{options};
    corpus_run r(2'000);
    r.bulk.model.clear();
    r.bulk.spec_yaml = "model: bge-small-v1.5\nchunking:\n  chunk_size: 10\n";
    r.bulk.jobs_in_flight = 4;
    r.sink.no_room = error(errc::io, "no room");
    const auto report = r.in(w);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message, "no room");
    EXPECT_EQ(r.sink.expected_dimensions, 384U);
    const std::uint64_t bought = w.remote->counters().jobs_created;
    EXPECT_LE(bought, 8U) << "those in flight when the first one was fetched";
    EXPECT_EQ(r.sink.rows.size(), bought * 10) << "what is bought is kept";
    EXPECT_EQ(r.sink.broken, std::vector<std::string>());
}

TEST(BulkBehaviour, StopFinishesWhatIsInFlight) {
    service_options options;
    options.settle_delay_ms = 5'000;
    world w{options};
    corpus_run r(1'000);
    std::stop_source stop;
    r.bulk.stop = stop.get_token();
    r.bulk.jobs_in_flight = 4;
    std::uint64_t created = 0;
    const auto report = r.in(w, [&](std::uint64_t) {
        if (w.now() > 12s && !stop.stop_requested()) {
            stop.request_stop();
            created = w.remote->counters().jobs_created;
        }
    });
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::stopped);
    EXPECT_EQ(w.remote->counters().jobs_created, created);
    EXPECT_EQ(report->rows_done, created * 10) << "every job that was in flight was finished";
    EXPECT_EQ(report->unknown.size(), 0U);
    EXPECT_EQ(r.sink.finished, std::nullopt);
    r.expect_true_rows();
}

TEST(BulkBehaviour, AStopThatCameBeforeSubmitsNothing) {
    world w{service_options()};
    corpus_run r(100);
    std::stop_source stop;
    stop.request_stop();
    r.bulk.stop = stop.get_token();
    const auto report = r.in(w);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->reason, stop_reason::stopped);
    EXPECT_EQ(w.remote->counters().jobs_created, 0U);
}

TEST(BulkBehaviour, TheTrialStopsAtTheDaysQuotaAndKeepsWhatWasBought) {
    service_options options;
    options.account_tier = tier::trial;  // 100 chunks a day, 60 a minute
    options.chunk_size = 10;
    world w{options};
    corpus_run r(3'000, 100);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::quota);
    EXPECT_EQ(report->rows_done, 1'000U);
    EXPECT_EQ(report->chunks_used, 100U);
    ASSERT_TRUE(report->resume_after);
    EXPECT_GT(*report->resume_after, 23h);
    EXPECT_FALSE(report->message.empty());
    EXPECT_EQ(w.remote->counters().replies_rate_limited, 0U) << "the limits were known";
    r.expect_true_rows();
}

TEST(BulkBehaviour, WhatTheTrialDoesNotBuyBeforeItEndsIsTold) {
    service_options options;
    options.account_tier = tier::trial;  // 14 days, 400 chunks in all, 100 a day
    options.chunk_size = 10;
    options.settle_delay_ms = 2'000;
    world w{options};
    corpus_run r(6'000, 100);
    std::vector<progress> told;
    r.bulk.on_progress = [&told](const progress& state) { told.push_back(state); };
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::quota);
    EXPECT_EQ(report->rows_beyond_tier, 2'000U);
    ASSERT_TRUE(report->tier_left);
    EXPECT_GT(*report->tier_left, 13 * 24h);
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back().rows_beyond_tier, 2'000U);
    EXPECT_FALSE(told.back().time_left);
}

// As long as nothing runs, nothing of the day's quota is used.
asio::awaitable<result<int>> idle(std::shared_ptr<environment> env, monotonic_time until) {
    co_await sleep_until(env, until);
    co_return 0;
}

TEST(BulkBehaviour, AFinishBeyondTheEndOfTheTrialIsNone) {
    service_options options;
    options.account_tier = tier::trial;
    options.chunk_size = 10;
    world w{options};
    ASSERT_TRUE(w.run(w.subject->get_account()));
    ASSERT_TRUE(w.run(idle(w.env, w.env->now() + 12 * 24h + 12h)));
    corpus_run r(3'000, 100);  // 100 chunks now, 100 a day later, and half a day after that the trial ends.
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 1'000U);
    EXPECT_EQ(report->rows_beyond_tier, 1'000U);
}

TEST(BulkBehaviour, ABudgetOfChunksIsAHardCap) {
    for (const std::uint64_t budget : {1U, 7U, 10U, 55U, 100U}) {
        SCOPED_TRACE(budget);
        service_options options;
        options.chunk_size = 10;
        options.settle_delay_ms = 300;
        world w{options};
        corpus_run r(2'000, 100);
        r.bulk.max_chunks = budget;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::chunk_budget);
        EXPECT_LE(w.remote->counters().chunks_charged, budget);
        EXPECT_EQ(report->chunks_used, w.remote->counters().chunks_charged);
        EXPECT_GE(report->chunks_used, budget - budget / 2) << "a budget is there to be used";
        r.expect_true_rows();
    }
}

TEST(BulkBehaviour, ABudgetThatSufficesIsNoReasonToStop) {
    service_options options;
    options.chunk_size = 10;
    world w{options};
    corpus_run r(200, 20);
    r.bulk.max_chunks = 20;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->chunks_used, 20U);
}

TEST(BulkBehaviour, RowsTheServiceWouldRefuseFailAndTheRestIsDone) {
    world w{service_options()};
    corpus_run r(50);
    r.texts[3] = "";
    r.texts[17] = std::string(70'000, 'x');
    r.texts[40] = "not \xff UTF-8";
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->rows_done, 47U);
    EXPECT_EQ(report->rows_failed, 3U);
    ASSERT_EQ(r.sink.failed.size(), 3U);
    EXPECT_EQ(r.sink.failed.at(17).kind, errc::bad_input);
    EXPECT_NE(r.sink.failed.at(17).message.find("row 17"), std::string::npos);
    EXPECT_EQ(w.remote->counters().jobs_created, 5U) << "the others close ranks";
}

TEST(BulkBehaviour, OnErrorStopEndsAtTheFirstRowThatCannotBe) {
    world w{service_options()};
    corpus_run r(50);
    r.texts[33] = "";
    r.bulk.on_error = error_policy::stop;
    const auto report = r.in(w);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::bad_input);
    EXPECT_TRUE(r.sink.failed.empty());
}

TEST(BulkBehaviour, OnErrorStopEndsAtAFailedJobAndKeepsIt) {
    service_options options;
    options.faults.failed_chunk = 1;
    world w{options};
    corpus_run r(50);
    memory_journal journal(std::make_shared<lifetime>());
    r.bulk.journal = &journal;
    r.bulk.on_error = error_policy::stop;
    const auto report = r.in(w);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::job_failed);
    EXPECT_EQ(journal.count(batch_state::accepted), journal.batches.size());
    EXPECT_TRUE(journal.failed.empty());
}

// A service that refuses certain texts says 400 for the whole job.
class choosy_transport final : public transport {
public:
    choosy_transport(std::shared_ptr<transport> to, std::string bad, int status, std::string code, std::size_t most)
        : to_(std::move(to)), bad_(std::move(bad)), status_(status), code_(std::move(code)), most_(most) {}
    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        const bool refuses = request->target == "/jobs" && (most_ > 0 ? inputs_of(request->body) > most_
                                                                      : request->body.find(bad_) != std::string::npos);
        if (!refuses) {
            co_return co_await to_->exchange(request, sink, deadline);
        }
        ++refused;
        exchange_outcome outcome;
        response_head head;
        head.status = status_;
        const std::string body = "{\"error\":\"" + code_ + "\"}";
        head.content_length = body.size();
        outcome.bytes_written = request->body.size() + 100;
        outcome.request_written = true;
        outcome.response_begun = true;
        outcome.head = head;
        if (auto begun = sink->begin(head); !begun) {
            outcome.error = begun.error();
            co_return outcome;
        }
        const auto room = sink->prepare(body.size());
        std::memcpy(room.data(), body.data(), body.size());
        (void)sink->commit(body.size());
        co_return outcome;
    }
    void close() noexcept override { to_->close(); }
    int refused = 0;

private:
    static std::size_t inputs_of(const std::string& body) {
        return boost::json::parse(body).at("inputs").as_array().size();
    }
    std::shared_ptr<transport> to_;
    std::string bad_;
    int status_;
    std::string code_;
    std::size_t most_;
};

result<bulk_report> run_choosy(world& w, corpus_run& r, const std::shared_ptr<choosy_transport>& choosy) {
    client_options options;
    options.base_url = "https://service.test";
    options.api_key = secret::from_key(w.remote->api_key()).value();
    options.env = w.env;
    options.transport_override = choosy;
    w.subject.reset();
    w.env->run();
    w.subject.emplace(w.context.get_executor(), options);
    return r.in(w);
}

TEST(BulkBehaviour, APoisonRowIsFoundByHalving) {
    world w{service_options()};
    corpus_run r(1'000, 250);
    auto choosy = std::make_shared<choosy_transport>(make_memory_transport(w.env, w.remote), corpus_text(777), 400,
                                                     "invalid_request", 0);
    const auto report = run_choosy(w, r, choosy);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(report->rows_done, 999U);
    ASSERT_EQ(r.sink.failed.size(), 1U);
    EXPECT_EQ(r.sink.failed.at(777).kind, errc::invalid_request);
    EXPECT_LE(choosy->refused, 10);
    r.expect_true_rows();
}

TEST(BulkBehaviour, AServiceThatRefusesEverythingEndsTheRun) {
    world w{service_options()};
    corpus_run r(1'000, 250);
    auto choosy =
        std::make_shared<choosy_transport>(make_memory_transport(w.env, w.remote), "corpus", 400, "invalid_request", 0);
    const auto report = run_choosy(w, r, choosy);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::invalid_request);
    EXPECT_LT(choosy->refused, 400);
}

// A proxy's 503 leaves the outcome open, and asks for quiet all the same.
TEST(BulkBehaviour, ABusyProxyIsLeftAloneForAWhile) {
    world w{service_options()};
    corpus_run r(20);
    auto choosy =
        std::make_shared<choosy_transport>(make_memory_transport(w.env, w.remote), corpus_text(5), 503, "", 0);
    const auto report = run_choosy(w, r, choosy);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::parked_batches);
    EXPECT_EQ(report->rows_done, 10U);
    EXPECT_GE(w.now(), 30s) << "what the service documents where no Retry-After is given";
}

TEST(BulkBehaviour, BatchesOverAHiddenLimitAreHalvedOnce) {
    world w{service_options()};
    corpus_run r(2'000, 1'000);
    auto choosy =
        std::make_shared<choosy_transport>(make_memory_transport(w.env, w.remote), "", 413, "request_too_large", 300);
    const auto report = run_choosy(w, r, choosy);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 2'000U);
    EXPECT_LE(choosy->refused, 6) << "what is learned from one batch holds for those that follow";
    r.expect_true_rows();
}

TEST(BulkBehaviour, BatchesKeepToTheChunksARequestMayHave) {
    service_options options;
    options.account_tier = tier::trial;  // 100 chunks a request, and a chunk for each input
    options.chunk_size = 1;
    options.chunks_per_minute = 10'000;
    options.chunks_per_day = 10'000;
    options.chunks_per_period = 10'000;
    world w{options};
    corpus_run r(950, 1'000);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 950U);
    EXPECT_EQ(report->chunks_used, 950U);
    EXPECT_LE(w.remote->counters().jobs_created, 20U);
    r.expect_true_rows();
}

TEST(BulkBehaviour, TheFailedRowsOfAJobFailAndItsOthersAreBoughtAnew) {
    service_options options;
    options.seed = 4;
    options.chunk_size = 10;
    options.faults.failed_chunk = 0.5;
    world w{options};
    corpus_run r(400, 100);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_GT(report->rows_failed, 0U);
    EXPECT_GT(report->rows_done, 0U);
    EXPECT_EQ(report->rows_done + report->rows_failed, 400U);
    for (const auto& [index, why] : r.sink.failed) {
        EXPECT_EQ(why.kind, errc::job_failed) << index;
        EXPECT_FALSE(why.job_id.empty());
    }
    r.expect_true_rows();
}

TEST(BulkBehaviour, UnverifiedRowsAreWithheldAndCounted) {
    service_options options;
    options.faults.invalid_receipt = 1;
    world w{options};
    corpus_run r(30);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->jobs_unverified, 3U);
    EXPECT_EQ(report->rows_failed, 30U);
    EXPECT_EQ(report->rows_done, 0U);
    EXPECT_EQ(r.sink.failed.at(0).kind, errc::verification_failed);
    EXPECT_EQ(r.sink.finished, 30U);
}

TEST(BulkBehaviour, AKeyRevokedInMidRunEndsItWithUnauthorized) {
    service_options options;
    options.settle_delay_ms = 2'000;
    world w{options};
    corpus_run r(5'000);
    const auto account = w.run(w.subject->get_account());
    ASSERT_TRUE(account);
    const std::string key_id = account->keys.at(0).key_id;
    bool revoked = false;
    const auto report = r.in(w, [&](std::uint64_t) {
        if (w.now() > 9s && !revoked) {
            revoked = true;
            w.subject->revoke_key(key_id).start([](const result<void>&) {});
        }
    });
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::unauthorized);
    EXPECT_LT(w.now(), 15s);
    EXPECT_GT(r.sink.rows.size(), 0U);
}

TEST(BulkBehaviour, ParkedBatchesAreNamedAndResubmittedOnesStayWithinTheirBudget) {
    for (const std::uint64_t extra : {0U, 3U, 1'000U}) {
        service_options options;
        options.seed = 11;
        options.chunk_size = 10;
        options.faults.drop = 0.2;
        world w{options};
        corpus_run r(400);
        if (extra > 0) {
            r.bulk.on_unknown = unknown_policy::resubmit;
            r.bulk.max_extra_chunks = extra;
        }
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_GT(report->unknown.size(), 0U);
        EXPECT_LE(report->extra_chunks, extra);
        EXPECT_EQ(report->reason, extra == 1'000 ? stop_reason::complete : stop_reason::parked_batches);
        for (const unknown_batch& batch : report->unknown) {
            EXPECT_FALSE(batch.rows.empty());
            EXPECT_FALSE(batch.reason.empty());
        }
        r.expect_true_rows();
    }
}

TEST(BulkBehaviour, AFirstBatchThatIsLostWaitsUntilAChunksSizeIsKnown) {
    constexpr std::uint64_t budget = 20;
    std::uint64_t seen = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        service_options options;
        options.seed = seed;
        options.chunk_size = 10;
        options.faults.drop = 0.1;
        world w{options};
        corpus_run r(500);
        r.bulk.rows_per_job = 100;
        r.bulk.on_unknown = unknown_policy::resubmit;
        r.bulk.max_extra_chunks = budget;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_LE(report->extra_chunks, budget);
        const bool first_lost = !report->unknown.empty() && report->unknown.front().batch == 0;
        if (first_lost && report->unknown.size() == 1) {
            ++seen;
            EXPECT_TRUE(report->unknown.front().resubmitted);
            EXPECT_EQ(report->extra_chunks, 10U);
            EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
        }
        r.expect_true_rows();
    }
    EXPECT_GT(seen, 0U);
}

// Every other long poll comes to nothing.
class flaky_waits final : public transport {
public:
    explicit flaky_waits(std::shared_ptr<transport> to) : to_(std::move(to)) {}
    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        if (request->target.find("/wait") != std::string::npos && ++waits % 2 == 1) {
            exchange_outcome outcome;
            outcome.error = error(errc::network, "the connection was cut");
            co_return outcome;
        }
        co_return co_await to_->exchange(request, sink, deadline);
    }
    void close() noexcept override { to_->close(); }
    int waits = 0;

private:
    std::shared_ptr<transport> to_;
};

TEST(BulkBehaviour, AJobThatCannotBeAskedForStaysInFlight) {
    service_options options;
    options.settle_delay_ms = 20'000;
    options.max_inflight = 2;
    world w{options};
    corpus_run r(100);
    client_options chosen;
    chosen.base_url = "https://service.test";
    chosen.api_key = secret::from_key(w.remote->api_key()).value();
    chosen.env = w.env;
    chosen.throttle.jobs_in_flight = 2;
    chosen.tries_max = 1;
    chosen.transport_override = std::make_shared<flaky_waits>(make_memory_transport(w.env, w.remote));
    w.subject.reset();
    w.env->run();
    w.subject.emplace(w.context.get_executor(), chosen);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(w.remote->counters().replies_rate_limited, 0U) << "a third job was submitted while two were in flight";
}

TEST(BulkBehaviour, TheInFlightCapIsLearnedAndKept) {
    service_options options;
    options.max_inflight = 3;
    options.settle_delay_ms = 2'000;
    world w{options};
    corpus_run r(1'000);
    r.bulk.jobs_in_flight = 16;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 1'000U);
    EXPECT_LE(w.remote->counters().replies_rate_limited, 60U);
}

TEST(BulkBehaviour, ProgressNeverGoesBackAndEndsWithTheReport) {
    service_options options;
    options.settle_delay_ms = 700;
    world w{options};
    corpus_run r(300);
    r.texts[7] = "";
    progress last;
    int told = 0;
    r.bulk.on_progress = [&](const progress& p) {
        ++told;
        EXPECT_GE(p.rows_done, last.rows_done);
        EXPECT_GE(p.rows_read, last.rows_read);
        EXPECT_GE(p.elapsed, last.elapsed);
        EXPECT_LE(p.jobs_in_flight, 8U);
        last = p;
    };
    const auto report = r.in(w);
    ASSERT_TRUE(report);
    EXPECT_GT(told, 3);
    EXPECT_EQ(last.rows_done, report->rows_done);
    EXPECT_EQ(last.rows_failed, 1U);
    EXPECT_EQ(last.rows_total, 300U);
    EXPECT_EQ(last.chunks_used, report->chunks_used);
    EXPECT_GT(last.rows_per_second, 0);
}

TEST(BulkBehaviour, AnIntervalOfNothingDoesNotStopTime) {
    world w{service_options()};
    corpus_run r(30);
    r.bulk.on_progress = [](const progress&) {};
    r.bulk.progress_interval = 0ms;
    EXPECT_TRUE(r.in(w));
}

TEST(BulkBehaviour, JobsThatDoNotSettleAreLeftAndSaidSo) {
    service_options options;
    options.settle_delay_ms = 3'600'000;
    world w{options};
    corpus_run r(20);
    r.bulk.job_timeout = 60s;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::service_busy);
    EXPECT_EQ(report->rows_done, 0U);
    EXPECT_NE(report->message.find("2 jobs"), std::string::npos) << report->message;
}

TEST(BulkBehaviour, AServiceThatStaysBusyEndsTheRunForLater) {
    for (const std::uint32_t retry_after : {1U, 90U}) {
        service_options options;
        options.faults.busy = 1;
        options.faults.retry_after_s_max = retry_after;
        world w{options};
        corpus_run r(100);
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::service_busy);
        EXPECT_TRUE(report->resume_after);
        EXPECT_GT(w.now(), 15min);
        EXPECT_LT(w.now(), 60min);
        EXPECT_EQ(w.network->early_requests, 0U);
    }
}

TEST(BulkBehaviour, AnEmptyCorpusIsComplete) {
    world w{service_options()};
    corpus_run r(0);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(r.sink.finished, 0U);
}

TEST(BulkBehaviour, OptionsThatMakeNoSenseAreRefused) {
    world w{service_options()};
    corpus_run none(10);
    none.bulk.model = "";
    EXPECT_EQ(none.in(w).error().kind, errc::invalid_argument);
    corpus_run both(10);
    both.bulk.spec_yaml = "model: x";
    EXPECT_EQ(both.in(w).error().kind, errc::invalid_argument);
    corpus_run hasty(10);
    hasty.bulk.job_timeout = 0s;
    EXPECT_EQ(hasty.in(w).error().kind, errc::invalid_argument);
    EXPECT_EQ(w.network->requests, 0U);
}

}  // namespace
}  // namespace vembed::testing
