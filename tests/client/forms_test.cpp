// Every operation in its forms: co_await, a callback, a future and a deferred start say the same.

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_future.hpp>

#include "support/corpora.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

class forms : public ::testing::Test {
protected:
    forms() : w(service_options()) {
        auto made = w.run(w.subject->embed("bge-small-v1.5", corpus(20)));
        EXPECT_TRUE(made) << made.error();
        job_id = made->jobs.at(0).job.id;
        receipt_id = made->jobs.at(0).receipt.receipt_id;
        commitment = made->jobs.at(0).results.chunks.at(0).output_commitment.value();
    }

    // `start` is given a completion token and starts the operation with it.
    template <class T, class Start>
    void expect_same(asio::awaitable<result<T>> awaited, Start start) {
        const result<T> from_await = w.run(std::move(awaited));
        EXPECT_TRUE(from_await) << from_await.error();
        std::optional<result<T>> from_callback;
        start([&from_callback](result<T> got) { from_callback.emplace(std::move(got)); });
        w.env->run([&] { return from_callback.has_value(); });
        ASSERT_TRUE(from_callback);
        EXPECT_EQ(from_callback->has_value(), from_await.has_value());
        std::future<result<T>> future = start(asio::use_future);
        w.env->run();
        ASSERT_EQ(future.wait_for(std::chrono::seconds(0)), std::future_status::ready);
        EXPECT_EQ(future.get().has_value(), from_await.has_value());
        std::optional<result<T>> from_deferred;
        start(asio::deferred)([&from_deferred](result<T> got) { from_deferred.emplace(std::move(got)); });
        w.env->run();
        ASSERT_TRUE(from_deferred);
        EXPECT_EQ(from_deferred->has_value(), from_await.has_value());
    }

    // The same, told to be deferred: what was started once cannot be started again, nor can a copy of it.
    template <class T, class Start>
    void expect_started_once(const char* name, Start start) {
        auto described = start(asio::deferred);
        const auto copy = described;
        std::vector<result<T>> got;
        const auto keep = [&got](result<T> one) { got.push_back(std::move(one)); };
        std::move(described)(keep);
        w.env->run();
        std::move(described)(keep);
        w.env->run();
        const std::uint64_t jobs = w.remote->counters().jobs_created;
        copy(keep);
        w.env->run();
        ASSERT_EQ(got.size(), 3U) << name;
        EXPECT_TRUE(got[0]) << name << ": " << got[0].error();
        for (const std::size_t again : {1U, 2U}) {
            ASSERT_FALSE(got[again]) << name;
            const error& why = got[again].error();
            EXPECT_EQ(why.kind, errc::invalid_argument) << name << ": " << why;
            EXPECT_NE(why.message.find("started before"), std::string::npos) << name << ": " << why;
        }
        EXPECT_EQ(w.remote->counters().jobs_created, jobs) << name;
    }

    job_request request() const { return job_request::for_model("bge-small-v1.5", corpus(20)); }

    world w;
    std::string job_id;
    std::string receipt_id;
    std::string commitment;
};

TEST_F(forms, Embed) {
    client& c = *w.subject;
    expect_same(c.embed(request()), [&](auto token) { return c.embed(request()).start(std::move(token)); });
}

TEST_F(forms, EmbedCorpus) {
    client& c = *w.subject;
    std::deque<vector_source> sources;
    matrix rows;
    std::deque<matrix_sink> sinks;
    bulk_options options;
    options.model = "bge-small-v1.5";
    const auto next_source = [&]() -> row_source& { return sources.emplace_back(corpus(20)); };
    const auto next_sink = [&]() -> row_sink& { return sinks.emplace_back(rows); };
    expect_same(c.embed_corpus(next_source(), next_sink(), options), [&](auto token) {
        return c.embed_corpus(next_source(), next_sink(), options).start(std::move(token));
    });
    EXPECT_EQ(rows, embedded(corpus(20)));
}

TEST_F(forms, Jobs) {
    client& c = *w.subject;
    using std::chrono::seconds;
    expect_same(c.submit_job(request()), [&](auto token) { return c.submit_job(request()).start(std::move(token)); });
    expect_same(c.get_job(job_id), [&](auto token) { return c.get_job(job_id).start(std::move(token)); });
    expect_same(c.wait_job(job_id, seconds(1)),
                [&](auto token) { return c.wait_job(job_id, seconds(1)).start(std::move(token)); });
    expect_same(c.settle_job(job_id), [&](auto token) { return c.settle_job(job_id).start(std::move(token)); });
    expect_same(c.get_job_results(job_id),
                [&](auto token) { return c.get_job_results(job_id).start(std::move(token)); });
    expect_same(c.get_job_output(job_id, 20),
                [&](auto token) { return c.get_job_output(job_id, 20).start(std::move(token)); });
}

TEST_F(forms, Receipts) {
    client& c = *w.subject;
    expect_same(c.get_receipt(receipt_id),
                [&](auto token) { return c.get_receipt(receipt_id).start(std::move(token)); });
    expect_same(c.verify_receipt(receipt_id),
                [&](auto token) { return c.verify_receipt(receipt_id).start(std::move(token)); });
    expect_same(c.verify_outputs(request(), commitment),
                [&](auto token) { return c.verify_outputs(request(), commitment).start(std::move(token)); });
}

TEST_F(forms, Attestations) {
    client& c = *w.subject;
    const matrix rows = embedded(corpus(20));
    expect_same(c.verify_outputs("bge-small-v1.5", corpus(20), rows), [&](auto token) {
        return c.verify_outputs("bge-small-v1.5", corpus(20), rows).start(std::move(token));
    });
    expect_same(c.verify_outputs(request(), rows),
                [&](auto token) { return c.verify_outputs(request(), rows).start(std::move(token)); });
}

TEST_F(forms, AccountAndKeys) {
    client& c = *w.subject;
    expect_same(c.get_models(), [&](auto token) { return c.get_models().start(std::move(token)); });
    expect_same(c.get_account(), [&](auto token) { return c.get_account().start(std::move(token)); });
    expect_same(c.get_health(), [&](auto token) { return c.get_health().start(std::move(token)); });
    expect_same(c.rotate_key(), [&](auto token) { return c.rotate_key().start(std::move(token)); });
    const auto rotated = w.run(c.rotate_key());
    ASSERT_TRUE(rotated);
    expect_same(c.revoke_key(rotated->key_id),
                [&](auto token) { return c.revoke_key(rotated->key_id).start(std::move(token)); });
}

TEST_F(forms, Raw) {
    client& c = *w.subject;
    expect_same(c.raw(http_method::get, "/models"),
                [&](auto token) { return c.raw(http_method::get, "/models").start(std::move(token)); });
    const auto response = w.run(c.raw(http_method::post, "/jobs", R"({"model":"bge-small-v1.5","inputs":["a"]})"));
    ASSERT_TRUE(response) << response.error();
    EXPECT_EQ(response->status, 201);
    const auto refused = w.run(c.raw(http_method::get, "/jobs/none"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, errc::not_found);
}

/// A corpus without rows.
class no_rows final : public async_row_source {
public:
    asio::awaitable<result<std::optional<source_row>>> next() override { co_return std::optional<source_row>(); }
};

TEST_F(forms, DeferredEmbeddingsAreStartedOnce) {
    client& c = *w.subject;
    matrix rows;
    vector_source texts(corpus(5));
    no_rows none;
    std::deque<matrix_sink> sinks;
    bulk_options bulk;
    bulk.model = "bge-small-v1.5";
    const auto next_sink = [&]() -> row_sink& { return sinks.emplace_back(rows); };
    expect_started_once<embeddings>("embed", [&](auto token) { return c.embed(request()).start(token); });
    expect_started_once<bulk_report>("embed_corpus",
                                     [&](auto token) { return c.embed_corpus(texts, next_sink(), bulk).start(token); });
    expect_started_once<bulk_report>("embed_corpus, asynchronous source",
                                     [&](auto token) { return c.embed_corpus(none, next_sink(), bulk).start(token); });
}

TEST_F(forms, DeferredJobsAreStartedOnce) {
    client& c = *w.subject;
    using std::chrono::seconds;
    expect_started_once<job>("submit_job", [&](auto token) { return c.submit_job(request()).start(token); });
    expect_started_once<job>("get_job", [&](auto token) { return c.get_job(job_id).start(token); });
    expect_started_once<job>("wait_job", [&](auto token) { return c.wait_job(job_id, seconds(1)).start(token); });
    expect_started_once<job>("settle_job", [&](auto token) { return c.settle_job(job_id).start(token); });
    expect_started_once<job_results>("job_results", [&](auto token) { return c.get_job_results(job_id).start(token); });
    expect_started_once<job_output>("job_output",
                                    [&](auto token) { return c.get_job_output(job_id, 20).start(token); });
}

TEST_F(forms, DeferredReceiptsAndAttestationsAreStartedOnce) {
    client& c = *w.subject;
    const matrix rows = embedded(corpus(20));
    expect_started_once<receipt>("receipt", [&](auto token) { return c.get_receipt(receipt_id).start(token); });
    expect_started_once<receipt_verification>("verify_receipt",
                                              [&](auto token) { return c.verify_receipt(receipt_id).start(token); });
    expect_started_once<receipt>("verify_outputs, commitment",
                                 [&](auto token) { return c.verify_outputs(request(), commitment).start(token); });
    expect_started_once<attestation>("verify_outputs, texts", [&](auto token) {
        return c.verify_outputs("bge-small-v1.5", corpus(20), rows).start(token);
    });
    expect_started_once<attestation>("verify_outputs, request",
                                     [&](auto token) { return c.verify_outputs(request(), rows).start(token); });
}

TEST_F(forms, DeferredAccountAndKeysAreStartedOnce) {
    client& c = *w.subject;
    const auto rotated = w.run(c.rotate_key());
    ASSERT_TRUE(rotated);
    expect_started_once<std::vector<model_info>>("models", [&](auto token) { return c.get_models().start(token); });
    expect_started_once<account_info>("account", [&](auto token) { return c.get_account().start(token); });
    expect_started_once<rotated_key>("rotate_key", [&](auto token) { return c.rotate_key().start(token); });
    expect_started_once<void>("revoke_key", [&](auto token) { return c.revoke_key(rotated->key_id).start(token); });
    expect_started_once<health_info>("health", [&](auto token) { return c.get_health().start(token); });
    expect_started_once<raw_response>("raw",
                                      [&](auto token) { return c.raw(http_method::get, "/models").start(token); });
}

asio::awaitable<result<int>> await_each_way(client* subject, std::vector<bool>* seen) {
    using namespace asio::experimental::awaitable_operators;
    const auto plain = co_await subject->get_health();
    seen->push_back(plain.has_value());
    const auto by_token = co_await subject->get_health().start(asio::use_awaitable);
    seen->push_back(by_token.has_value());
    const auto deferred = co_await subject->get_health().start(asio::deferred);
    seen->push_back(deferred.has_value());
    auto named = subject->get_health();
    const auto moved = co_await std::move(named);
    seen->push_back(moved.has_value());
    const auto [health, models] = co_await (subject->get_health() && subject->get_models());
    seen->push_back(health.has_value() && models.has_value());
    auto started = subject->get_models();
    started.start([](const result<std::vector<model_info>>&) {});
    const auto again = co_await std::move(started);
    seen->push_back(!again && again.error().kind == errc::invalid_argument);
    co_return 0;
}

TEST_F(forms, AnOperationIsAnAwaitable) {
    std::vector<bool> seen;
    ASSERT_TRUE(w.run(await_each_way(&*w.subject, &seen)));
    EXPECT_EQ(seen, std::vector<bool>(6, true));
    std::optional<result<health_info>> spawned;
    asio::co_spawn(w.context, w.subject->get_health(),
                   [&](const std::exception_ptr&, result<health_info> health) { spawned.emplace(std::move(health)); });
    w.env->run();
    ASSERT_TRUE(spawned);
    EXPECT_TRUE(*spawned);
}

TEST_F(forms, AnOperationThatIsDroppedSendsNothing) {
    const std::uint64_t before = w.remote->counters().jobs_created;
    {
        const auto described = w.subject->submit_job(request());
        const auto deferred = w.subject->submit_job(request()).start(asio::deferred);
    }
    w.env->run();
    EXPECT_EQ(w.remote->counters().jobs_created, before);
}

TEST_F(forms, AnExceptionFromACallbackLeavesTheLoopAndTheClientWhole) {
    w.subject->get_models().start([](const result<std::vector<model_info>>&) { throw std::runtime_error("mine"); });
    EXPECT_THROW(w.env->run(), std::runtime_error);
    EXPECT_TRUE(w.run(w.subject->get_models()));
}

TEST_F(forms, OperationsOfAClientThatIsGoneAreCancelled) {
    std::optional<result<std::vector<model_info>>> got;
    w.subject->get_models().start([&](result<std::vector<model_info>> models) { got.emplace(std::move(models)); });
    w.subject.reset();
    w.env->run();
    ASSERT_TRUE(got);
    ASSERT_FALSE(*got);
    EXPECT_EQ(got->error().kind, errc::cancelled);
}

}  // namespace
}  // namespace vembed::testing
