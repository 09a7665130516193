// A client on a context that eight threads run, and contexts that end while work is on another thread.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <vembed/client/blocking_client.hpp>
#include <vembed/client/row_stream.hpp>
#include <vembed/corpus/range_source.hpp>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/system_client.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

bulk_options small_bulk() {
    bulk_options bulk;
    bulk.model = small_model;
    bulk.rows_per_job = 10;
    bulk.jobs_in_flight = 4;
    return bulk;
}

class eight_threads {
public:
    eight_threads() : work_(asio::make_work_guard(context)) {
        for (int i = 0; i < 8; ++i) {
            threads_.emplace_back([this] { context.run(); });
        }
    }
    ~eight_threads() {
        work_.reset();
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }

    asio::io_context context{8};

private:
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

asio::awaitable<std::size_t> count_rows(row_stream* stream) {
    std::size_t rows = 0;
    for (;;) {
        const result<std::optional<streamed_row>> next = co_await stream->next();
        if (!next || !*next) {
            co_return rows;
        }
        ++rows;
    }
}

TEST(EightThreads, EmbedBulkStreamCancelAndDestroy) {
    const auto remote = std::make_shared<service>(quick_service());
    eight_threads loop;
    std::optional<client> subject(std::in_place, loop.context.get_executor(), options_for(remote));
    std::vector<std::future<result<embeddings>>> embeds;
    std::vector<std::stop_source> stops(20);
    for (std::size_t i = 0; i < 100; ++i) {
        call_options call;
        if (i < stops.size()) {
            call.stop = stops[i].get_token();
        }
        embeds.push_back(subject->embed(job_request::for_model(small_model, corpus(2)), call).start(asio::use_future));
    }
    vector_source source(corpus(100));
    ledger_sink sink;
    auto bulk = subject->embed_corpus(source, sink, small_bulk()).start(asio::use_future);
    range_source streamed(corpus(100));
    auto stream = subject->stream_corpus(streamed, small_bulk());
    ASSERT_TRUE(stream);
    auto rows = asio::co_spawn(asio::make_strand(loop.context), count_rows(&*stream), asio::use_future);
    range_source streamed_too(corpus(100));
    auto stream_too = subject->stream_corpus(streamed_too, small_bulk());
    ASSERT_TRUE(stream_too);
    auto rows_too = asio::co_spawn(loop.context, count_rows(&*stream_too), asio::use_future);
    for (std::stop_source& stop : stops) {
        stop.request_stop();
    }
    for (std::size_t i = 0; i < embeds.size(); ++i) {
        const result<embeddings> got = embeds[i].get();
        EXPECT_TRUE(got || i < stops.size()) << got.error();
    }
    EXPECT_EQ(rows.get(), 100U);
    EXPECT_EQ(rows_too.get(), 100U) << "on an executor of several threads";
    const result<bulk_report> report = bulk.get();
    EXPECT_TRUE(report) << report.error();
    EXPECT_EQ(sink.rows.size(), 100U);

    std::vector<std::future<result<embeddings>>> last;
    for (int i = 0; i < 50; ++i) {
        last.push_back(subject->embed(job_request::for_model(small_model, corpus(2))).start(asio::use_future));
    }
    subject.reset();
    for (std::future<result<embeddings>>& each : last) {
        static_cast<void>(each.get());  // Each is told something.
    }
}

TEST(Cancellation, OneStopTokenOfAnotherThread) {
    asio::io_context context(1);
    auto env = make_system_environment();
    service_options slow;
    slow.settle_delay_ms = 600'000;
    auto remote = std::make_shared<service>(slow);
    client_options options;
    options.api_key = secret::from_key(remote->api_key()).value();
    options.base_url = "https://service.test";
    options.env = env;
    options.transport_override = make_memory_transport(env, remote);
    client subject(context.get_executor(), options);
    auto work = asio::make_work_guard(context);
    std::thread loop([&context] { context.run(); });
    for (int round = 0; round < 50; ++round) {
        std::stop_source stop;
        call_options call;
        call.stop = stop.get_token();
        auto future = subject.embed(job_request::for_model(small_model, corpus(10)), call).start(asio::use_future);
        for (int yields = 0; yields < round * 20; ++yields) {
            std::this_thread::yield();
        }
        stop.request_stop();
        const result<embeddings> e = future.get();
        ASSERT_FALSE(e);
        EXPECT_TRUE(e.error().kind == errc::cancelled || e.error().kind == errc::outcome_unknown) << e.error();
    }
    work.reset();
    loop.join();
}

// ---- streams

asio::awaitable<result<std::vector<std::uint64_t>>> read_with_timeouts(world* w, row_stream* stream) {
    using namespace asio::experimental::awaitable_operators;
    std::vector<std::uint64_t> seen;
    for (int turn = 1;; ++turn) {
        const monotonic_time soon = deadline_after(w->env->now(), std::chrono::milliseconds(turn % 40));
        auto first = co_await (stream->next() || sleep_until(w->env, soon));
        if (first.index() == 1) {
            continue;
        }
        const result<std::optional<streamed_row>>& next = std::get<0>(first);
        if (!next) {
            co_return next.error();
        }
        if (!*next) {
            co_return seen;
        }
        seen.push_back((*next)->index);
    }
}

TEST(RowStreamCancelled, ACallThatIsCancelledTakesNoRow) {
    service_options options;
    options.chunk_size = 10;
    options.settle_delay_ms = 30;
    options.faults.delay = 0.5;
    options.faults.delay_ms_max = 40;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        options.seed = seed;
        world w{options, seed};
        range_source source(corpus(500));
        auto stream = w.subject->stream_corpus(source, small_bulk());
        ASSERT_TRUE(stream);
        const auto seen = w.run(read_with_timeouts(&w, &*stream));
        ASSERT_TRUE(seen) << seen.error();
        ASSERT_EQ(seen->size(), 500U);
        for (std::size_t i = 0; i < seen->size(); ++i) {
            ASSERT_EQ((*seen)[i], i);
        }
    }
}

asio::awaitable<result<bool>> next_when_cancelled(row_stream* stream, asio::cancellation_signal* own) {
    own->emit(asio::cancellation_type::terminal);
    const result<std::optional<streamed_row>> next = co_await stream->next();
    co_return !next && next.error().kind == errc::cancelled;
}

TEST(RowStreamCancelled, ARowThatWaitsStaysForTheNextCall) {
    world w{quick_service()};
    range_source source(corpus(10));
    auto stream = w.subject->stream_corpus(source, small_bulk());
    ASSERT_TRUE(stream);
    w.env->run();  // All rows are there.
    asio::cancellation_signal signal;
    const result<bool> told = w.run(next_when_cancelled(&*stream, &signal), {}, signal.slot());
    EXPECT_TRUE(told && *told);
    const auto next = w.run(stream->next());
    ASSERT_TRUE(next && *next);
    EXPECT_EQ((*next)->index, 0U);
}

// Tells when it is read after it was given up.
class watched_source final : public row_source {
public:
    result<std::optional<source_row>> next() override {
        if (given_up) {
            ++read_after;
        }
        ++read;
        source_row row;
        row.text = corpus_text(read);
        return std::optional<source_row>(std::move(row));
    }
    std::size_t read = 0;
    bool given_up = false;
    int read_after = 0;
};

TEST(RowStreamLifetime, ItsSourceIsNotReadAfterIt) {
    for (const auto after : {0ms, 1ms, 40ms, 500ms}) {
        world w{quick_service()};
        watched_source source;
        {
            auto stream = w.subject->stream_corpus(source, small_bulk());
            ASSERT_TRUE(stream);
            const monotonic_time until = deadline_after(w.env->now(), after);
            w.env->run([&] { return w.env->now() >= until; }, until);
        }
        source.given_up = true;
        w.env->run();
        EXPECT_EQ(source.read_after, 0);
    }
}

// ---- ends

// Its reading lasts until the context is being destroyed, and a little longer.
class lasting_source final : public row_source {
public:
    result<std::optional<source_row>> next() override {
        begun.set_value();
        release.get_future().wait();
        for (int i = 0; i < 1'000; ++i) {
            std::this_thread::yield();
        }
        left = true;
        return std::optional<source_row>();
    }
    std::promise<void> begun;
    std::promise<void> release;
    std::atomic<bool> left = false;
};

/// A system clock that can be set ahead.
class leaping_clock final : public environment {
public:
    [[nodiscard]] monotonic_time now() const override { return of_->now() + ahead.load(); }
    [[nodiscard]] wall_time wall_now() const override { return of_->wall_now(); }
    std::uint64_t random() override { return of_->random(); }
    std::unique_ptr<timer> make_timer(const asio::any_io_executor& executor) override {
        return of_->make_timer(executor);
    }
    asio::awaitable<void> run_blocking(std::function<void()> work) override {
        return of_->run_blocking(std::move(work));
    }
    asio::awaitable<void> read_blocking(std::function<void()> work) override {
        return of_->read_blocking(std::move(work));
    }
    void log(log_level, std::string_view, std::initializer_list<log_field>) override {}

    std::atomic<monotonic_clock::duration> ahead{};

private:
    std::shared_ptr<environment> of_ = make_system_environment();
};

/// Stops its run in its second row, and takes as long as a part of a corpus may.
class stopping_source final : public row_source {
public:
    explicit stopping_source(leaping_clock* clock) : clock_(clock) {}
    result<std::optional<source_row>> next() override {
        if (++calls == 2) {
            stop.request_stop();
            clock_->ahead = 10s;
        }
        source_row row;
        row.text = corpus_text(calls);
        return calls <= 5'000 ? std::optional(std::move(row)) : std::nullopt;
    }
    std::stop_source stop;
    std::size_t calls = 0;

private:
    leaping_clock* clock_;
};

// A client and a source that stops its run.
class SlowSource : public ::testing::Test {
protected:
    SlowSource() {
        bulk.rows_per_job = 1'000;
        bulk.stop = source.stop.get_token();
    }

    client_options options() const {
        client_options chosen = options_for(remote);
        chosen.env = clock;
        chosen.transport_override = make_memory_transport(clock, remote);
        return chosen;
    }

    std::shared_ptr<leaping_clock> clock = std::make_shared<leaping_clock>();
    std::shared_ptr<service> remote = std::make_shared<service>(quick_service());
    stopping_source source{clock.get()};
    bulk_options bulk = small_bulk();
    asio::io_context context{1};
    client subject{context.get_executor(), options()};
};

TEST_F(SlowSource, AStopIsHeardBetweenItsRows) {
    ledger_sink sink;
    std::optional<result<bulk_report>> report;
    subject.embed_corpus(source, sink, bulk).start([&](result<bulk_report> ended) {
        report.emplace(std::move(ended));
    });
    context.run();
    ASSERT_TRUE(report);
    ASSERT_TRUE(*report) << report->error();
    EXPECT_EQ((*report)->reason, stop_reason::stopped);
    EXPECT_EQ(source.calls, 2u);
}

TEST_F(SlowSource, AStopOfAStreamIsHeardBetweenItsRows) {
    auto stream = subject.stream_corpus(source, bulk);
    ASSERT_TRUE(stream);
    auto rows = asio::co_spawn(context, count_rows(&*stream), asio::use_future);
    context.run();
    EXPECT_EQ(rows.get(), 0U);
    EXPECT_EQ(source.calls, 2U);
}

// The last service of a context is the first to hear that it ends.
class end_of_context final : public asio::execution_context::service {
public:
    using key_type = end_of_context;
    static inline asio::execution_context::id id;
    explicit end_of_context(asio::execution_context& owner) : asio::execution_context::service(owner) {}
    lasting_source* to_release = nullptr;

private:
    void shutdown() override { to_release->release.set_value(); }
};

TEST(EndOfContext, WaitsForWorkUnderWay) {
    const auto remote = std::make_shared<service>(quick_service());
    lasting_source source;
    ledger_sink sink;
    auto context = std::make_unique<asio::io_context>(1);
    std::optional<client> subject(std::in_place, context->get_executor(), options_for(remote));
    subject->embed_corpus(source, sink, small_bulk()).start([](const result<bulk_report>&) {});
    std::thread loop([&context] { context->run(); });
    source.begun.get_future().wait();
    context->stop();
    loop.join();
    asio::use_service<end_of_context>(*context).to_release = &source;
    subject.reset();
    context.reset();
    EXPECT_TRUE(source.left) << "the context was gone while its source was read";
}

TEST(Fork, ABlockingClientOfTheParentFailsAtOnceInTheChild) {
    const auto remote = std::make_shared<service>(quick_service());
    blocking_client subject(options_for(remote));
    ASSERT_TRUE(subject.embed(small_model, corpus(2)));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::alarm(30);  // If a call does hang.
        bool told = false;
        {
            blocking_client inherited(std::move(subject));
            const auto refused = inherited.get_account();
            vector_source source(corpus(2));
            ledger_sink sink;
            const auto not_run = inherited.embed_corpus(source, sink, small_bulk());
            told = !refused && refused.error().kind == errc::invalid_argument && !not_run &&
                   not_run.error().kind == errc::invalid_argument;
        }
        ::_exit(told ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_TRUE(subject.get_account()) << "the parent's goes on";
}

// ---- options and repeated starts

TEST(Durations, TheLongestTimeoutsAreNever) {
    for (const std::chrono::milliseconds longest :
         {std::chrono::milliseconds::max(), std::chrono::milliseconds(std::chrono::years(300))}) {
        client_options chosen;
        chosen.try_timeout = std::chrono::seconds::max();
        chosen.connect_timeout = std::chrono::seconds::max();
        chosen.visible_within = std::chrono::seconds::max();
        world w{quick_service(), 1, chosen};
        call_options call;
        call.timeout = longest;
        const auto embedded_rows = w.run(w.subject->embed(small_model, corpus(3), call));
        EXPECT_TRUE(embedded_rows) << embedded_rows.error();
        bulk_options bulk = small_bulk();
        bulk.job_timeout = std::chrono::seconds::max();
        bulk.progress_interval = longest;
        bulk.arrival_wait = std::chrono::seconds::max();
        bulk.visible_within = std::chrono::seconds::max();
        int told = 0;
        bulk.on_progress = [&told](const progress&) { ++told; };
        vector_source source(corpus(50));
        ledger_sink sink;
        const auto report = w.run(w.subject->embed_corpus(source, sink, bulk, call));
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->reason, stop_reason::complete);
        EXPECT_EQ(sink.rows.size(), 50U);
        EXPECT_LE(told, 3);
    }
}

TEST(Durations, ANegativeTimeoutIsAlreadyPast) {
    for (const std::chrono::milliseconds past : {-1ms, std::chrono::milliseconds::min()}) {
        world w{quick_service()};
        call_options call;
        call.timeout = past;
        const auto refused = w.run(w.subject->embed(small_model, corpus(3), call));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, errc::timeout) << refused.error();
        EXPECT_EQ(w.remote->counters().jobs_created, 0U);
    }
}

TEST(Deferred, StartedTwiceSaysSo) {
    world w{quick_service()};
    auto described = w.subject->embed(job_request::for_model(small_model, corpus(3))).start(asio::deferred);
    std::vector<result<embeddings>> got;
    auto again = described;
    std::move(described)([&got](result<embeddings> one) { got.push_back(std::move(one)); });
    w.env->run();
    std::move(again)([&got](result<embeddings> one) { got.push_back(std::move(one)); });
    w.env->run();
    ASSERT_EQ(got.size(), 2U);
    EXPECT_TRUE(got[0]);
    ASSERT_FALSE(got[1]);
    EXPECT_EQ(got[1].error().kind, errc::invalid_argument);
    EXPECT_NE(got[1].error().message.find("started before"), std::string::npos) << got[1].error();
}

TEST(Options, MoreJobsInFlightThanAMachineHasConnectionsAreRefused) {
    world w{quick_service()};
    vector_source source(corpus(20));
    ledger_sink sink;
    bulk_options bulk = small_bulk();
    bulk.jobs_in_flight = bulk_options::jobs_in_flight_max + 1;
    const auto refused = w.run(w.subject->embed_corpus(source, sink, bulk));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, errc::invalid_argument);
    bulk.jobs_in_flight = 0;
    vector_source again(corpus(20));
    EXPECT_TRUE(w.run(w.subject->embed_corpus(again, sink, bulk)));
}

TEST(Options, WhatTakesTheAccountIsRefusedWithoutIt) {
    for (const bool folder : {true, false}) {
        asio::io_context context;
        client_options options = options_for(std::make_shared<service>(quick_service()));
        options.learn_limits = false;
        (folder ? options.quota_folder : options.pins_file) = "somewhere";
        const auto made = client::make(context.get_executor(), options);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().kind, errc::invalid_argument);
    }
}

}  // namespace
}  // namespace vembed::testing
