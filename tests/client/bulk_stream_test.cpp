// Sources that have to be waited for, ranges as sources, and rows taken in order as a stream.

#include <list>
#include <optional>
#include <span>

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <vembed/client/row_stream.hpp>
#include <vembed/corpus/async_source.hpp>
#include <vembed/corpus/range_source.hpp>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/repetitions.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

bulk_options options_of(std::uint32_t rows_per_job = 20, std::uint32_t jobs_in_flight = 3) {
    bulk_options options;
    options.model = "bge-small-v1.5";
    options.rows_per_job = rows_per_job;
    options.jobs_in_flight = jobs_in_flight;
    return options;
}

service_options slow_service() {
    service_options options;
    options.chunk_size = 10;
    options.settle_delay_ms = 700;
    return options;
}

// ---- ranges

template <class Range>
std::vector<std::string> texts_of(range_source<Range>& source) {
    std::vector<std::string> texts;
    for (;;) {
        auto row = source.next();
        EXPECT_TRUE(row);
        if (!row || !*row) {
            return texts;
        }
        texts.push_back((*row)->text);
    }
}

TEST(RangeSource, TakesWhateverATextCanBeMadeOf) {
    const std::vector<std::string> wanted{"one", "two", "three"};
    range_source strings(wanted);
    EXPECT_EQ(strings.size_hint(), 3U);
    EXPECT_EQ(texts_of(strings), wanted);
    EXPECT_EQ(texts_of(strings), std::vector<std::string>()) << "the end stays the end";
    range_source views(std::list<std::string_view>{"one", "two", "three"});
    EXPECT_EQ(texts_of(views), wanted);
    range_source pointers(std::vector<const char*>{"one", "two", "three"});
    EXPECT_EQ(texts_of(pointers), wanted);
    range_source borrowed(std::span<const std::string>{wanted});
    EXPECT_EQ(texts_of(borrowed), wanted);
    range_source none(std::vector<std::string>{});
    EXPECT_EQ(texts_of(none), std::vector<std::string>());
}

TEST(RangeSource, FeedsARun) {
    world w{slow_service()};
    const std::vector<std::string> texts = corpus(100);
    range_source source(std::span<const std::string>{texts});
    ledger_sink sink;
    const auto report = w.run(w.subject->embed_corpus(source, sink, options_of()));
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(sink.rows.size(), 100U);
}

// ---- async sources

// Gives a row each 50 ms, and then what it was told to.
class ticking_source final : public async_row_source {
public:
    ticking_source(std::shared_ptr<environment> env, std::size_t rows) : env_(std::move(env)), texts_(corpus(rows)) {}

    asio::awaitable<result<std::optional<source_row>>> next() override {
        const monotonic_time soon = deadline_after(env_->now(), 50ms);
        const wait_outcome outcome = co_await sleep_until(env_, soon);
        if (outcome == wait_outcome::cancelled) {
            co_return error(errc::cancelled, "cancelled in the source");
        }
        if (given == breaks_at) {
            if (throws) {
                throw std::runtime_error("the queue is gone");
            }
            co_return error(errc::io, "the queue is gone");
        }
        if (given == texts_.size()) {
            co_return std::optional<source_row>();
        }
        source_row row;
        row.text = texts_[given++];
        co_return std::optional<source_row>(std::move(row));
    }

    std::size_t given = 0;
    std::size_t breaks_at = SIZE_MAX;
    bool throws = false;

private:
    std::shared_ptr<environment> env_;
    std::vector<std::string> texts_;
};

TEST(AsyncSource, IsWaitedFor) {
    world w{slow_service()};
    ticking_source source(w.env, 700);
    ledger_sink sink;
    const auto report = w.run(w.subject->embed_corpus(source, sink, options_of()));
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
    EXPECT_EQ(sink.rows.size(), 700U);
    EXPECT_EQ(sink.broken, std::vector<std::string>());
    EXPECT_GT(w.now(), 35s);
    EXPECT_LT(w.now(), 45s) << "jobs settle while rows are waited for";
}

TEST(AsyncSource, ItsFailuresEndTheRun) {
    for (const bool throws : {false, true}) {
        world w{slow_service()};
        ticking_source source(w.env, 700);
        source.breaks_at = 300;
        source.throws = throws;
        ledger_sink sink;
        const auto report = w.run(w.subject->embed_corpus(source, sink, options_of()));
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().kind, throws ? errc::callback_failed : errc::io);
        EXPECT_NE(report.error().message.find("the queue is gone"), std::string::npos);
    }
}

TEST(AsyncSource, IsCancelledWithItsRun) {
    world w{slow_service()};
    ticking_source source(w.env, 100'000);
    ledger_sink sink;
    call_options soon;
    soon.timeout = 60s;
    const auto report = w.run(w.subject->embed_corpus(source, sink, options_of(), soon));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::timeout);
    EXPECT_LT(w.now(), 61s);
}

// As a source that waits with use_awaitable: it throws what the cancelled operation ends with.
class throwing_when_cancelled final : public async_row_source {
public:
    explicit throwing_when_cancelled(std::shared_ptr<environment> env) : env_(std::move(env)) {}
    asio::awaitable<result<std::optional<source_row>>> next() override {
        const wait_outcome outcome = co_await sleep_until(env_, no_deadline);
        if (outcome == wait_outcome::cancelled) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        co_return std::optional<source_row>();
    }

private:
    std::shared_ptr<environment> env_;
};

TEST(AsyncSource, WhatItThrowsWhenItsRunIsCancelledIsACancellation) {
    world w{slow_service()};
    throwing_when_cancelled source(w.env);
    ledger_sink sink;
    asio::cancellation_signal signal;
    std::optional<result<bulk_report>> report;
    w.subject->embed_corpus(source, sink, options_of())
        .start(asio::bind_cancellation_slot(signal.slot(),
                                            [&](result<bulk_report> ended) { report.emplace(std::move(ended)); }));
    (void)w.env->run({}, deadline_after(w.env->now(), 5s));
    ASSERT_FALSE(report);
    signal.emit(asio::cancellation_type::terminal);
    (void)w.env->run([&] { return report.has_value(); });
    ASSERT_TRUE(report);
    ASSERT_FALSE(*report);
    EXPECT_EQ(report->error().kind, errc::cancelled) << report->error();
}

// ---- streams

class seen_rows {
public:
    std::vector<std::uint64_t> indices;
    std::vector<std::uint64_t> failed;
    std::uint64_t furthest_ahead = 0;
    std::optional<error> ended_with;
};

// A source that says how far it was read.
class counted_texts final : public row_source {
public:
    explicit counted_texts(std::vector<std::string> texts) : texts_(std::move(texts)) {}
    result<std::optional<source_row>> next() override {
        if (read == texts_.size()) {
            return std::optional<source_row>();
        }
        source_row row;
        row.id = "id-" + std::to_string(read);
        row.text = texts_[read++];
        return std::optional<source_row>(std::move(row));
    }
    std::size_t read = 0;

private:
    std::vector<std::string> texts_;
};

asio::awaitable<result<int>> consume(world* w, row_stream* stream, counted_texts* source, const matrix* truth,
                                     seen_rows* into, std::chrono::milliseconds pause, std::size_t most) {
    while (into->indices.size() < most) {
        result<std::optional<streamed_row>> next = co_await stream->next();
        if (!next) {
            into->ended_with = next.error();
            break;
        }
        if (!*next) {
            break;
        }
        const streamed_row& row = **next;
        into->indices.push_back(row.index);
        into->furthest_ahead = std::max<std::uint64_t>(into->furthest_ahead, source->read - row.index);
        if (row.problem) {
            into->failed.push_back(row.index);
        } else {
            EXPECT_EQ(row.values.size(), 384U);
            EXPECT_TRUE(std::equal(row.values.begin(), row.values.end(), truth->data() + row.index * 384));
            EXPECT_EQ(row.id, "id-" + std::to_string(row.index));
        }
        if (pause > 0ms) {
            const monotonic_time later = deadline_after(w->env->now(), pause);
            static_cast<void>(co_await sleep_until(w->env, later));
        }
    }
    co_return 0;
}

class RowStream : public ::testing::Test {
protected:
    seen_rows play(const service_options& service, std::size_t rows, std::chrono::milliseconds pause = 0ms,
                   std::size_t most = SIZE_MAX, bulk_options options = options_of()) {
        const std::vector<std::string> texts = corpus(rows);
        const matrix truth = embedded(texts);
        world w{service, service.seed};
        counted_texts source(texts);
        auto stream = w.subject->stream_corpus(source, std::move(options));
        EXPECT_TRUE(stream) << stream.error();
        seen_rows seen;
        EXPECT_TRUE(w.run(consume(&w, &*stream, &source, &truth, &seen, pause, most)));
        report = w.run(stream->close());
        return seen;
    }
    result<bulk_report> report;
};

std::vector<std::uint64_t> all(std::size_t rows) {
    std::vector<std::uint64_t> indices(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        indices[i] = i;
    }
    return indices;
}

TEST_F(RowStream, GivesRowsInOrder) {
    service_options service = slow_service();
    service.faults.delay = 0.5;
    service.faults.delay_ms_max = 9'000;
    const seen_rows seen = play(service, 1'000);
    EXPECT_EQ(seen.indices, all(1'000));
    EXPECT_EQ(seen.failed.size(), 0U);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->reason, stop_reason::complete);
}

TEST_F(RowStream, ASlowConsumerHoldsTheRunBack) {
    const seen_rows seen = play(slow_service(), 3'000, 100ms);
    EXPECT_EQ(seen.indices, all(3'000));
    EXPECT_LE(seen.furthest_ahead, 20U * 4 + 512 + 64) << "the window, and a block of the source's";
}

TEST_F(RowStream, RowsThatFailOrAreLostHoldNothingUp) {
    for (std::uint64_t seed = 1; seed <= repetitions(20); ++seed) {
        SCOPED_TRACE(seed);
        service_options service = slow_service();
        service.seed = seed;
        service.poison = "7 of a corpus";
        service.faults.drop = 0.05;
        bulk_options options = options_of();
        options.max_narrowing_chunks = 5'000;  // With less, job after job would come to nothing, which ends the run.
        const seen_rows seen = play(service, 1'500, 0ms, SIZE_MAX, std::move(options));
        if (!report) {
            continue;  // The account could not be read.
        }
        EXPECT_EQ(seen.indices, all(1'500));
        EXPECT_GE(seen.failed.size(), 150U);
    }
}

TEST_F(RowStream, EndsEarlyWithItsRun) {
    service_options service = slow_service();
    service.chunks_per_day = 30;
    const seen_rows seen = play(service, 1'000);
    EXPECT_EQ(seen.indices, all(300));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->reason, stop_reason::quota);
}

TEST_F(RowStream, AConsumerMayLeave) {
    const seen_rows seen = play(slow_service(), 5'000, 0ms, 100);
    EXPECT_EQ(seen.indices, all(100));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::cancelled);
}

TEST_F(RowStream, TellsTheRunsFailureAfterItsRows) {
    service_options service = slow_service();
    service.model_changes_after_jobs = 5;
    const seen_rows seen = play(service, 1'000);
    ASSERT_TRUE(seen.ended_with);
    EXPECT_EQ(seen.ended_with->kind, errc::model_changed);
    EXPECT_LE(seen.indices.size(), 100U);
}

TEST(RowStreamLifetime, MayBeDroppedAtAnyTime) {
    for (const auto after : {0ms, 10ms, 500ms, 800ms, 5'000ms}) {
        world w{slow_service()};
        counted_texts source(corpus(2'000));
        {
            auto stream = w.subject->stream_corpus(source, options_of());
            ASSERT_TRUE(stream);
            const monotonic_time until = deadline_after(w.env->now(), after);
            w.env->run([&] { return w.env->now() >= until; }, until);
        }
        w.env->run();
        EXPECT_LE(w.now(), after + 60s) << "the run went on without its stream";
    }
}

TEST(RowStreamLifetime, AnotherInItsPlaceEndsItsRun) {
    world w{slow_service()};
    counted_texts source(corpus(2'000));
    counted_texts other_source(corpus(0));
    auto stream = w.subject->stream_corpus(source, options_of());
    auto other = w.subject->stream_corpus(other_source, options_of());
    ASSERT_TRUE(stream && other);
    const monotonic_time until = deadline_after(w.env->now(), 1s);
    w.env->run([&] { return w.env->now() >= until; }, until);
    const std::uint64_t before = w.remote->counters().jobs_created;
    EXPECT_GT(before, 0U);
    *stream = std::move(*other);
    EXPECT_FALSE(*w.run(stream->next())) << "the other run has no rows";
    w.env->run();
    EXPECT_EQ(w.remote->counters().jobs_created, before);
}

TEST(RowStreamLifetime, TakesNoJournal) {
    world w{slow_service()};
    counted_texts source(corpus(10));
    const auto journal = make_sqlite_journal("unused.sqlite");
    bulk_options options = options_of();
    options.journal = journal.get();
    const auto stream = w.subject->stream_corpus(source, options);
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().kind, errc::invalid_argument);
}

}  // namespace
}  // namespace vembed::testing
