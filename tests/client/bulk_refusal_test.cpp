// What stands between a bulk run and the service answers in its place: what is bought, and what is never bought twice.

#include <cstring>

#include <gtest/gtest.h>

#include "support/corpus_run.hpp"

namespace vembed::testing {
namespace {

class written_answer {
public:
    int status = 0;
    std::string body;

    written_answer(int its_status, std::string its_body) : status(its_status), body(std::move(its_body)) {}
};

class nowhere final : public response_sink {
public:
    result<void> begin(const response_head&) override { return {}; }
    std::span<std::byte> prepare(std::size_t at_most) override {
        room_.resize(at_most);
        return room_;
    }
    result<void> commit(std::size_t) override { return {}; }

private:
    std::vector<std::byte> room_;
};

// Answers submissions that hold a certain text with something else than the service says.
class replacing final : public transport {
public:
    replacing(std::shared_ptr<transport> to, std::string text, bool act_first, written_answer answer)
        : to_(std::move(to)), text_(std::move(text)), act_first_(act_first), answer_(std::move(answer)) {}

    asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const transport_request> request, response_sink* sink,
                                               monotonic_time deadline) override {
        if (request->target != "/jobs" || request->body.find(text_) == std::string::npos) {
            co_return co_await to_->exchange(request, sink, deadline);
        }
        ++replaced;
        if (act_first_) {
            nowhere dropped;
            const exchange_outcome unseen = co_await to_->exchange(request, &dropped, deadline);
            EXPECT_FALSE(unseen.error);
        }
        exchange_outcome outcome;
        response_head head;
        head.status = answer_.status;
        head.content_length = answer_.body.size();
        outcome.bytes_written = request->body.size() + 100;
        outcome.request_written = true;
        outcome.response_begun = true;
        outcome.head = head;
        if (const auto begun = sink->begin(head); !begun) {
            outcome.error = begun.error();
            co_return outcome;
        }
        const auto room = sink->prepare(answer_.body.size());
        std::memcpy(room.data(), answer_.body.data(), std::min(room.size(), answer_.body.size()));
        (void)sink->commit(answer_.body.size());
        co_return outcome;
    }
    void close() noexcept override { to_->close(); }
    int replaced = 0;

private:
    std::shared_ptr<transport> to_;
    std::string text_;
    bool act_first_;
    written_answer answer_;
};

result<bulk_report> run_behind(world& w, corpus_run& r, const std::shared_ptr<replacing>& network) {
    client_options options;
    options.base_url = "https://service.test";
    options.api_key = secret::from_key(w.remote->api_key()).value();
    options.env = w.env;
    options.transport_override = network;
    client subject(w.context.get_executor(), std::move(options));
    vector_source source(r.texts);
    return w.run(subject.embed_corpus(source, r.sink, r.bulk));
}

TEST(BulkRefusal, WhatBecameAJobIsNotBoughtAgainWhateverTheAnswerSays) {
    for (const written_answer& answer :
         {written_answer(500, R"({"error":"internal_error","message":"m"})"),
          written_answer(502, R"({"error":"upstream"})"), written_answer(408, R"({"error":"timeout"})"),
          written_answer(503, R"({"error":"overloaded"})"), written_answer(503, R"({"message":"no error code"})"),
          written_answer(409, R"({"error":"conflict"})"), written_answer(400, R"({"error":"something_new"})"),
          written_answer(504, R"({"error":"verification_timeout"})"), written_answer(503, "<html>busy</html>"),
          written_answer(499, ""), written_answer(200, "<html>ok</html>"),
          written_answer(201, R"({"status":"EXECUTING"})")}) {
        world w{service_options()};
        corpus_run r(corpus(30), 10);
        const auto network =
            std::make_shared<replacing>(make_memory_transport(w.env, w.remote), corpus_text(15), true, answer);
        const auto report = run_behind(w, r, network);
        ASSERT_TRUE(report) << answer.status << answer.body << report.error();
        EXPECT_EQ(network->replaced, 1) << answer.status << answer.body;
        EXPECT_EQ(w.remote->counters().jobs_created, 3U) << answer.status << answer.body;
        EXPECT_EQ(report->reason, stop_reason::parked_batches) << answer.status << answer.body;
        EXPECT_EQ(report->rows_done, 20U);
        ASSERT_EQ(report->unknown.size(), 1U);
    }
}

TEST(BulkRefusal, AFirewallThatRefusesOneTextCostsOneRow) {
    world w{service_options()};
    corpus_run r(corpus(1'000), 1'000);
    const auto network = std::make_shared<replacing>(make_memory_transport(w.env, w.remote), corpus_text(777), false,
                                                     written_answer(403, "<html>Request blocked</html>"));
    const auto report = run_behind(w, r, network);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 999U);
    ASSERT_EQ(r.sink.failed.size(), 1U);
    EXPECT_EQ(r.sink.failed.at(777).kind, errc::api);
    EXPECT_NE(r.sink.failed.at(777).message.find("firewall"), std::string::npos) << r.sink.failed.at(777);
    r.expect_true_rows();
}

TEST(BulkRefusal, NarrowingKeepsToItsBudget) {
    service_options options;
    options.chunk_size = 10;
    world w{options};
    corpus_run r(corpus(30), 10);
    r.bulk.max_narrowing_chunks = 0;
    const auto network = std::make_shared<replacing>(make_memory_transport(w.env, w.remote), corpus_text(15), false,
                                                     written_answer(403, "<html>Request blocked</html>"));
    const auto report = run_behind(w, r, network);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 20U);
    EXPECT_EQ(report->chunks_used, 2U);
    ASSERT_EQ(r.sink.failed.size(), 10U);
    EXPECT_NE(r.sink.failed.at(10).message.find("max_narrowing_chunks"), std::string::npos) << r.sink.failed.at(10);
}

TEST(BulkRefusal, AFirewallThatRefusesEverythingEndsTheRun) {
    world w{service_options()};
    corpus_run r(corpus(200), 50);
    const auto network = std::make_shared<replacing>(make_memory_transport(w.env, w.remote), "", false,
                                                     written_answer(403, "<html>Request blocked</html>"));
    const auto report = run_behind(w, r, network);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, errc::api);
    EXPECT_LT(network->replaced, 100);
}

}  // namespace
}  // namespace vembed::testing
