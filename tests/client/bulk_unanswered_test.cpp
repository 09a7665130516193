// Submissions that nobody answers: what a process leaves of them, what an outage costs, and what a cancelled run still
// buys.

#include <gtest/gtest.h>

#include "support/bad_weather.hpp"
#include "support/corpus_run.hpp"
#include "support/mortal.hpp"
#include "support/pass_time.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

// A process that dies while its third submission is on its way, with two more jobs in the gate's line: four chunks a
// minute admit two jobs of two chunks.
class death_at_a_submission {
public:
    death_at_a_submission() : w(quick_service(5)), journal(std::make_shared<lifetime>()) {
        client_options slow;
        slow.throttle.chunks_per_minute = 4;
        w.again(slow);
        auto life = std::make_shared<lifetime>();
        w.net->decide = [this, &life](std::uint64_t submission) {
            if (submission != 3) {
                return fate::pass;
            }
            intents = journal.count(batch_state::intent);
            sent_at = w.env->wall_now();
            life->die();
            asio::post(w.context, [this] { end.emit(asio::cancellation_type::terminal); });
            return fate::swallow;
        };
        vector_source source(corpus(50));
        ledger_sink rows;
        mortal_journal mine(journal, life);
        mortal_sink on(rows, life);
        bulk_options options = bulk(&mine);
        EXPECT_FALSE(w.run(w.subject->embed_corpus(source, on, options), {}, end.slot()));
        lost = w.net->lost;
    }

    static bulk_options bulk(run_journal* journal) {
        bulk_options options;
        options.model = "bge-small-v1.5";
        options.rows_per_job = 10;
        options.jobs_in_flight = 4;
        options.journal = journal;
        return options;
    }

    result<bulk_report> next_process() {
        w.again();
        w.net->lost = lost;
        vector_source source(corpus(50));
        ledger_sink rows;
        return w.run(w.subject->embed_corpus(source, rows, bulk(&journal)));
    }

    asio::cancellation_signal end;
    bad_weather w;
    memory_journal journal;
    std::uint64_t intents = 0;
    wall_time sent_at{};
    std::shared_ptr<const transport_request> lost;
};

TEST(BulkUnanswered, WhatStoodInTheGateIsNotTakenForSent) {
    death_at_a_submission seen;
    ASSERT_TRUE(seen.lost);
    EXPECT_EQ(seen.intents, 1U) << "of the one that was sent";
    for (const auto& [number, batch] : seen.journal.batches) {
        if (batch.state == batch_state::intent) {
            EXPECT_LE(seen.sent_at - batch.intended_at, 1s) << "though it had waited in the gate";
        }
    }
    const auto next = seen.next_process();
    ASSERT_TRUE(next) << next.error();
    ASSERT_EQ(next->unknown.size(), 1U);
    EXPECT_EQ(next->reason, stop_reason::parked_batches);
    EXPECT_EQ(next->rows_done, 40U);
}

TEST(BulkUnanswered, AProcessThatBeginsAtOnceJudgesNothing) {
    death_at_a_submission seen;
    ASSERT_TRUE(seen.lost);
    const auto next = seen.next_process();
    ASSERT_TRUE(next) << next.error();
    ASSERT_EQ(next->unknown.size(), 1U);
    EXPECT_FALSE(next->unknown.front().not_charged) << "it may still arrive";
    const std::uint64_t bought = seen.w.remote->counters().chunks_charged;
    EXPECT_EQ(seen.w.deliver_late(), 201);
    EXPECT_EQ(bought, 8U);
    EXPECT_EQ(seen.w.remote->counters().chunks_charged, 10U) << "of 50 rows in chunks of 5";
}

TEST(BulkUnanswered, OneThatBeginsLaterBuysWhatNeverArrived) {
    death_at_a_submission seen;
    const monotonic_time later = deadline_after(seen.w.env->now(), 4min);
    ASSERT_TRUE(seen.w.run(testing_support::pass_time(seen.w.env, later)));
    const auto next = seen.next_process();
    ASSERT_TRUE(next) << next.error();
    ASSERT_EQ(next->unknown.size(), 1U);
    EXPECT_TRUE(next->unknown.front().not_charged);
    EXPECT_EQ(next->reason, stop_reason::complete);
    EXPECT_EQ(seen.w.remote->counters().chunks_charged, 10U);
}

// A refusal has no effect, and what then waits for another try is not about to be sent.
TEST(BulkUnanswered, WhatWaitsForAnotherTryIsNotTakenForSent) {
    service_options options = quick_service(10);
    options.faults.rate_limited = 0.4;
    options.faults.retry_after_s_max = 90;
    world w(options);
    memory_journal journal(std::make_shared<lifetime>());
    corpus_run r(corpus(200), 10);
    r.bulk.journal = &journal;
    std::uint64_t waited = 0;
    std::uint64_t intents = 0;
    std::chrono::milliseconds last{0};
    const auto report = r.in(w, [&](std::uint64_t) {
        if (w.now() > last + 2s) {
            // Time moves on only when everybody waits, and no response takes that long.
            ++waited;
            EXPECT_EQ(intents, 0U) << "until " << w.now().count();
        }
        intents = journal.count(batch_state::intent);
        last = w.now();
    });
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_GT(w.remote->counters().replies_rate_limited, 3U);
    EXPECT_GT(waited, 3U);
    EXPECT_EQ(w.network->early_requests, 0U);
    EXPECT_EQ(journal.broken, std::vector<std::string>());
}

// Seconds pass while an intent is made durable: then it says when that began, and nothing is sent on it.
TEST(BulkUnanswered, AnIntentThatTookLongToRecordIsRecordedAnew) {
    bad_weather w(quick_service(10));
    memory_journal journal(std::make_shared<lifetime>());
    std::uint64_t works = 0;
    w.machine->disk_takes = [&works] { return ++works % 3 == 0 ? 20s : 10ms; };
    w.net->decide = [&](std::uint64_t submission) {
        std::uint64_t fresh = 0;
        for (const auto& [number, batch] : journal.batches) {
            const bool open = batch.state == batch_state::intent;
            fresh += open && w.machine->wall_now() - batch.intended_at <= 5s ? 1 : 0;
        }
        EXPECT_TRUE(submission == 0 || fresh > 0) << submission;
        return fate::pass;
    };
    corpus_run r(corpus(60), 10);
    r.bulk.journal = &journal;
    r.bulk.jobs_in_flight = 1;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_GT(works, 20U);
    EXPECT_EQ(journal.broken, std::vector<std::string>());
}

// Nor does it go while the service wants quiet, though it asked for that after the gate had let the job in.
TEST(BulkUnanswered, WhatTheServiceRefusesWhileAnIntentIsRecordedHoldsForIt) {
    service_options options = quick_service(10);
    options.faults.rate_limited = 0.3;
    options.faults.retry_after_s_max = 5;
    bad_weather w(options);
    w.machine->disk_takes = [] { return 40ms; };
    memory_journal journal(std::make_shared<lifetime>());
    corpus_run r(corpus(400), 10);
    r.bulk.journal = &journal;
    r.bulk.jobs_in_flight = 16;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_GT(w.remote->counters().replies_rate_limited, 3U);
    EXPECT_EQ(w.watched->early_requests, 0U);
}

TEST(BulkUnanswered, AnOutageDoesNotParkTheCorpus) {
    bad_weather w(quick_service(100));
    w.net->decide = [](std::uint64_t submission) { return submission >= 3 ? fate::bad_gateway : fate::pass; };
    corpus_run r(corpus(20'000), 100);
    r.bulk.deduplicate = false;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::service_busy);
    EXPECT_NE(report->message.find("502"), std::string::npos) << report->message;
    EXPECT_EQ(report->rows_done, 200U) << "what was in flight is finished";
    EXPECT_LE(report->unknown.size(), 2U + r.bulk.jobs_in_flight + 7U);
    EXPECT_EQ(w.net->submissions, 2 + report->unknown.size()) << "each try cost one batch";
    EXPECT_GT(w.now(), 5min);
    EXPECT_LT(w.now(), 20min);
}

TEST(BulkUnanswered, AShortOutageIsSatOut) {
    for (const fate what : {fate::bad_gateway, fate::cut}) {
        bad_weather w(quick_service(100));
        w.net->decide = [&w, what](std::uint64_t submission) {
            return submission > 0 && w.now() > 5s && w.now() < 65s ? what : fate::pass;
        };
        corpus_run r(corpus(20'000), 100);
        r.bulk.jobs_in_flight = 2;
        r.bulk.deduplicate = false;
        r.bulk.wait_unanswered = true;  // Jobs that were accepted at the end may be charged late.
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_GT(report->unknown.size(), 2U);
        EXPECT_LE(report->unknown.size(), 9U);
        EXPECT_EQ(report->rows_done, 20'000U) << report->message << ": the account's count showed what was not charged";
        EXPECT_LT(w.now(), 10min);
    }
}

TEST(BulkUnanswered, AServiceThatCannotBeReachedForAWhileIsWaitedFor) {
    for (const std::uint32_t jobs_in_flight : {1U, 8U}) {
        bad_weather w(quick_service(100));
        w.net->decide = [&w](std::uint64_t) { return w.now() > 5s && w.now() < 185s ? fate::refuse : fate::pass; };
        corpus_run r(corpus(20'000), 100);
        r.bulk.jobs_in_flight = jobs_in_flight;
        r.bulk.deduplicate = false;
        const auto report = r.in(w);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::complete) << report->message;
        EXPECT_EQ(report->unknown.size(), 0U) << "nothing was sent";
        EXPECT_EQ(w.remote->counters().jobs_created, 200U);
        EXPECT_LT(w.now(), 15min);
    }
}

TEST(BulkUnanswered, AServiceThatStaysUnreachableEndsTheRunForLater) {
    bad_weather w(quick_service(100));
    w.net->decide = [&w](std::uint64_t) { return w.now() > 5s ? fate::refuse : fate::pass; };
    corpus_run r(corpus(20'000), 100);
    r.bulk.deduplicate = false;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::service_busy);
    EXPECT_NE(report->message.find("connection refused"), std::string::npos) << report->message;
    EXPECT_EQ(report->unknown.size(), 0U);
    EXPECT_GT(w.now(), 5min);
    EXPECT_LT(w.now(), 30min);
}

// Where nothing is answered, a question that costs nothing is not either.
TEST(BulkUnanswered, NoBatchIsSpentOnAServiceThatIsDownAltogether) {
    bad_weather w(quick_service(100));
    w.net->decide = [&w](std::uint64_t) { return w.now() > 5s && w.now() < 185s ? fate::cut : fate::pass; };
    corpus_run r(corpus(20'000), 100);
    r.bulk.jobs_in_flight = 4;
    r.bulk.deduplicate = false;
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_LE(report->unknown.size(), 7U);
    EXPECT_GT(report->rows_done, 19'000U) << report->message;
}

// What was not answered by this process is as old as its own clock says, whatever becomes of the wall clock.
TEST(BulkUnanswered, AWallClockThatIsSetAheadMakesNothingOlder) {
    bad_weather w(quick_service(10));
    w.net->decide = [&w](std::uint64_t submission) {
        if (submission != 3) {
            return fate::pass;
        }
        asio::post(w.context, [&w] { w.machine->set_ahead = 1h; });
        return fate::cut;
    };
    corpus_run r(corpus(60), 10);
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    ASSERT_EQ(report->unknown.size(), 1U);
    EXPECT_LT(w.now(), 30s);
    EXPECT_FALSE(report->unknown.front().not_charged);
    EXPECT_EQ(report->reason, stop_reason::parked_batches);
}

// Cancels a run at every step of it, and says how many jobs it made after that, at most.
std::uint64_t most_jobs_after_cancelling(const std::function<std::unique_ptr<bad_weather>()>& make,
                                         const bulk_options& options, std::size_t rows) {
    std::uint64_t most = 0;
    bool cancelled = true;
    for (std::uint64_t step = 1; cancelled; ++step) {
        asio::cancellation_signal end;  // Outlives whatever it may reach.
        const std::unique_ptr<bad_weather> w = make();
        cancelled = false;
        std::uint64_t before = 0;
        vector_source source(corpus(rows));
        ledger_sink sink;
        const auto report = w->run(
            w->subject->embed_corpus(source, sink, options),
            [&](std::uint64_t event) {
                if (event == step) {
                    cancelled = true;
                    before = w->remote->counters().jobs_created;
                    end.emit(asio::cancellation_type::terminal);
                }
            },
            end.slot());
        if (cancelled) {
            most = std::max(most, w->remote->counters().jobs_created - before);
            EXPECT_TRUE(report || report.error().kind == errc::cancelled) << step << ": " << report.error();
        }
    }
    return most;
}

TEST(BulkUnanswered, ACancelledRunBuysNothingMore) {
    bulk_options options;
    options.model = "bge-small-v1.5";
    options.rows_per_job = 10;
    for (const std::uint32_t jobs : {1U, 2U}) {
        options.jobs_in_flight = jobs;
        for (const std::optional<std::uint64_t> connections :
             {std::optional<std::uint64_t>(jobs), std::optional<std::uint64_t>()}) {
            const auto make = [connections] { return std::make_unique<bad_weather>(quick_service(10), connections); };
            EXPECT_LE(most_jobs_after_cancelling(make, options, 60), jobs) << "but what was under way";
        }
    }
}

TEST(BulkUnanswered, ACancelledRunBuysNothingOfWhatWasParked) {
    bulk_options options;
    options.model = "bge-small-v1.5";
    options.rows_per_job = 10;
    options.deduplicate = false;
    for (const unknown_policy policy : {unknown_policy::park, unknown_policy::resubmit}) {
        options.on_unknown = policy;
        options.max_extra_chunks = policy == unknown_policy::resubmit ? 100 : 0;
        const auto make = [] {
            service_options slow = quick_service(10);
            slow.settle_delay_ms = 40'000;
            auto w = std::make_unique<bad_weather>(slow);
            w->net->decide = [](std::uint64_t n) { return n >= 2 && n <= 4 ? fate::cut : fate::pass; };
            return w;
        };
        EXPECT_LE(most_jobs_after_cancelling(make, options, 80), 1U);
    }
}

TEST(BulkUnanswered, ProgressSaysForHowLongTheServiceCannotBeReached) {
    service_options options;
    options.settle_delay_ms = 2'000;
    world w{options};
    corpus_run r(corpus(400), 10);
    std::vector<progress> told;
    std::vector<std::string> logged;
    w.env->set_log_hook([&logged](const log_record& record) {
        if (record.event == "service_unreachable" || record.event == "service_reached") {
            logged.emplace_back(record.event);
        }
    });
    r.bulk.on_progress = [&](const progress& state) {
        if (w.now() > 5s && w.network->cut_until == monotonic_time()) {
            w.network->cut_until = w.env->now() + 5s;
        }
        told.push_back(state);
    };
    const auto report = r.in(w);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    std::chrono::milliseconds longest{0};
    for (const progress& state : told) {
        longest = std::max(longest, state.unreachable_for.value_or(0ms));
        EXPECT_EQ(state.unreachable_reason, state.unreachable_for ? "Connection refused" : "");
    }
    EXPECT_GT(longest, 2s);
    EXPECT_LT(longest, 9s);
    EXPECT_FALSE(told.back().unreachable_for);
    EXPECT_EQ(logged, (std::vector<std::string>{"service_unreachable", "service_reached"}));
}

}  // namespace
}  // namespace vembed::testing
