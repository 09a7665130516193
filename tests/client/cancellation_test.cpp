// Cancelling at every point where an operation waits: by its cancellation slot, by a stop token, by the end of the
// client, by the end of the whole context; and what callers throw.

#include <gtest/gtest.h>
#include <boost/asio/post.hpp>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

// Enough delay for every stage to be waited in, and one job at a time, so that a share of the account's gate that
// was not given back would block what comes after.
service_options slow_service() {
    service_options options;
    options.settle_delay_ms = 1'500;
    options.faults.delay = 0.3;
    return options;
}

client_options one_job_at_a_time() {
    client_options options;
    options.throttle.jobs_in_flight = 1;
    return options;
}

enum class way { slot, stop_token, client_destroyed };

// Starts `call` in a world of its own and cancels it after its n-th step. False once it ends before that.
template <class T>
bool cancel_at(std::uint64_t step, way how,
               const std::function<asio::awaitable<result<T>>(client&, call_options)>& call) {
    world w(slow_service(), step, one_job_at_a_time());
    asio::cancellation_signal signal;
    std::stop_source stop;
    call_options options;
    options.stop = stop.get_token();
    bool fired = false;
    const auto at_event = [&](std::uint64_t event) {
        if (event != step) {
            return;
        }
        fired = true;
        switch (how) {
            case way::slot: signal.emit(asio::cancellation_type::terminal); break;
            case way::stop_token: stop.request_stop(); break;
            case way::client_destroyed: w.subject.reset(); break;
        }
    };
    const monotonic_time began = w.env->now();
    const result<T> outcome = w.run(call(*w.subject, options), at_event, signal.slot());
    if (!fired) {
        EXPECT_TRUE(outcome) << outcome.error();
        return false;
    }
    EXPECT_LT(w.env->now() - began, 60s);
    if (!outcome) {
        // A submission that was under way may have been accepted, and says so.
        EXPECT_TRUE(outcome.error().kind == errc::cancelled || outcome.error().kind == errc::outcome_unknown)
            << "at step " << step << ": " << outcome.error();
    }
    if (w.subject) {
        const auto after = w.run(w.subject->embed(small_model, {"after"}));
        EXPECT_TRUE(after) << "at step " << step << ", afterwards: " << after.error();
    }
    return true;
}

template <class T>
void cancel_everywhere(std::uint64_t least_steps,
                       const std::function<asio::awaitable<result<T>>(client&, call_options)>& call) {
    for (const way how : {way::slot, way::stop_token, way::client_destroyed}) {
        SCOPED_TRACE("way " + std::to_string(static_cast<int>(how)));
        std::uint64_t step = 1;
        while (cancel_at<T>(step, how, call)) {
            ++step;
            ASSERT_LT(step, 5'000U);
        }
        EXPECT_GT(step, least_steps);
    }
}

TEST(Cancellation, EmbedAtEveryStep) {
    cancel_everywhere<embeddings>(30, [](client& c, call_options options) {
        return c.embed(job_request::for_model(small_model, corpus(1'500)), options);
    });
}

// Bytes that match no commitment while none is known are read a second time, alone.
TEST(Cancellation, ASecondReadingOfAnOutputAtEveryStep) {
    bool fired = true;
    for (std::uint64_t step = 1; fired; ++step) {
        ASSERT_LT(step, 500U);
        service_options service = slow_service();
        service.faults.delay = 0;
        service.faults.corrupt = 1;
        asio::cancellation_signal signal;
        world w(service, step);
        fired = false;
        const auto at_event = [&](std::uint64_t event) {
            if (event == step) {
                fired = true;
                asio::post(w.context, [&signal] { signal.emit(asio::cancellation_type::terminal); });
            }
        };
        const auto outcome = w.run(w.subject->embed(small_model, corpus(5)), at_event, signal.slot());
        ASSERT_FALSE(outcome);
        const errc kind = outcome.error().kind;
        EXPECT_TRUE(kind == errc::verification_failed ||
                    (fired && (kind == errc::cancelled || kind == errc::outcome_unknown)))
            << "at step " << step << ": " << outcome.error();
    }
}

TEST(Cancellation, EmbedCorpusAtEveryStep) {
    matrix rows;
    matrix_sink sink(rows);
    std::deque<vector_source> sources;
    cancel_everywhere<bulk_report>(80, [&](client& c, call_options options) {
        bulk_options bulk;
        bulk.model = small_model;
        bulk.rows_per_job = 20;
        bulk.jobs_in_flight = 4;
        bulk.on_progress = [](const progress&) {};
        return c.embed_corpus(sources.emplace_back(corpus(100)), sink, bulk, options);
    });
}

TEST(Cancellation, SmallOperationsAtEveryStep) {
    cancel_everywhere<job>(5, [](client& c, call_options options) {
        return c.submit_job(job_request::for_model(small_model, corpus(3)), options);
    });
    cancel_everywhere<account_info>(3, [](client& c, call_options options) { return c.get_account(options); });
    cancel_everywhere<rotated_key>(3, [](client& c, call_options options) { return c.rotate_key(options); });
    cancel_everywhere<raw_response>(
        3, [](client& c, call_options options) { return c.raw(http_method::get, "/models", "", options); });
}

// Nobody runs the loop to the end: everything under way is destroyed with it, in whatever order.
TEST(Cancellation, TheContextMayGoWithOperationsUnderWay) {
    bool ended = false;
    for (std::uint64_t step = 1; !ended; ++step) {
        ASSERT_LT(step, 5'000U);
        auto context = std::make_unique<asio::io_context>(1);
        auto env = std::make_shared<simulated_environment>(*context, step);
        auto remote = std::make_shared<service>(slow_service());
        client_options options = one_job_at_a_time();
        options.throttle.jobs_in_flight = 2;
        options.api_key = secret::from_key(remote->api_key()).value();
        options.base_url = "https://service.test";
        options.env = env;
        options.transport_override = make_memory_transport(env, remote);
        std::optional<client> subject(std::in_place, context->get_executor(), options);
        vector_source source(corpus(60));
        matrix rows;
        matrix_sink sink(rows);
        bulk_options bulk;
        bulk.model = small_model;
        bulk.rows_per_job = 10;
        bulk.on_progress = [](const progress&) {};
        int completed = 0;
        subject->embed(job_request::for_model(small_model, corpus(1'200))).start([&](const result<embeddings>&) {
            ++completed;
        });
        subject->embed_corpus(source, sink, bulk).start([&](const result<bulk_report>&) { ++completed; });
        std::uint64_t events = 0;
        env->run([&] { return ++events == step; });
        ended = completed == 2;
        subject.reset();
        context.reset();
    }
}

// A source, sink or callback that throws at its n-th call.
class thrower {
public:
    explicit thrower(int at) : at_(at) {}
    void call() {
        if (++calls == at_) {
            throw std::runtime_error("the caller's own");
        }
    }
    int calls = 0;

private:
    int at_;
};

class throwing_sink final : public ledger_sink {
public:
    throwing_sink(std::string where, int at) : where_(std::move(where)), thrower_(at) {}
    result<void> declare_row(std::uint64_t index, const source_row& row) override {
        return at("declare_row"), ledger_sink::declare_row(index, row);
    }
    result<void> write_receipt(const job_evidence& proof) override {
        return at("write_receipt"), ledger_sink::write_receipt(proof);
    }
    result<void> write(const row_batch& batch) override { return at("write"), ledger_sink::write(batch); }
    result<void> fail(const failed_row& row) override { return at("fail"), ledger_sink::fail(row); }
    result<void> flush() override { return at("flush"), ledger_sink::flush(); }
    result<void> finish(std::uint64_t row_count, std::uint64_t dimensions) override {
        return at("finish"), ledger_sink::finish(row_count, dimensions);
    }

private:
    void at(const char* where) {
        if (where == where_) {
            thrower_.call();
        }
    }
    std::string where_;
    thrower thrower_;
};

bulk_options small_bulk() {
    bulk_options bulk;
    bulk.model = small_model;
    bulk.rows_per_job = 10;
    bulk.jobs_in_flight = 4;
    return bulk;
}

TEST(Callbacks, ASinkThatThrowsEndsTheRun) {
    for (const char* where : {"declare_row", "write_receipt", "write", "fail", "flush", "finish"}) {
        for (const int at : {1, 3}) {
            SCOPED_TRACE(std::string(where) + " " + std::to_string(at));
            world w(slow_service());
            std::vector<std::string> texts = corpus(100);
            texts[5] = texts[6] = texts[7] = "";  // for fail()
            vector_source source(texts);
            throwing_sink sink(where, at);
            bulk_options bulk = small_bulk();
            bulk.on_progress = [](const progress&) {};
            const auto report = w.run(w.subject->embed_corpus(source, sink, bulk));
            const bool never_called = at == 3 && (std::string(where) == "flush" || std::string(where) == "finish");
            ASSERT_EQ(report.has_value(), never_called);
            if (!report) {
                EXPECT_EQ(report.error().kind, errc::callback_failed) << report.error();
                EXPECT_NE(report.error().message.find("the caller's own"), std::string::npos);
            }
        }
    }
}

TEST(Callbacks, ASourceThatThrowsEndsTheRun) {
    for (const int at : {1, 55, 101}) {
        world w(slow_service());
        thrower t(at);
        generator_source source([&, row = 0]() mutable -> std::optional<std::string> {
            t.call();
            return row < 100 ? std::optional(corpus_text(row++)) : std::nullopt;
        });
        ledger_sink sink;
        const auto report = w.run(w.subject->embed_corpus(source, sink, small_bulk()));
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().kind, errc::callback_failed);
        EXPECT_EQ(sink.broken, std::vector<std::string>());
    }
}

TEST(Callbacks, ProgressThatThrowsEndsTheRun) {
    for (const bool standard : {true, false}) {
        world w(slow_service());
        vector_source source(corpus(100));
        ledger_sink sink;
        bulk_options bulk = small_bulk();
        bulk.on_progress = [standard](const progress&) {
            if (standard) {
                throw std::runtime_error("the caller's own");
            }
            throw 42;
        };
        const auto report = w.run(w.subject->embed_corpus(source, sink, bulk));
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().kind, errc::callback_failed);
    }
}

TEST(Callbacks, ALogHookThatThrowsChangesNothing) {
    world w(slow_service());
    w.env->set_log_hook([](const log_record&) { throw std::runtime_error("the caller's own"); });
    EXPECT_TRUE(w.run(w.subject->embed(small_model, corpus(10))));
}

}  // namespace
}  // namespace vembed::testing
