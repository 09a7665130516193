// When a client asks for the service's own count, and what it makes of it.

#include <gtest/gtest.h>

#include <vembed/corpus/source.hpp>

#include "support/corpora.hpp"
#include "support/ledger_sink.hpp"
#include "support/world.hpp"

namespace vembed::testing {
namespace {

using namespace std::chrono_literals;

// A world that counts how often /account was asked for.
class reading {
public:
    explicit reading(const service_options& options, client_options chosen = {}) : w(options, 1, std::move(chosen)) {
        w.network->on_request = [this](const transport_request& request) {
            asked += request.target == "/account" ? 1 : 0;
        };
    }

    result<job> submit(std::size_t texts) {
        return w.run(w.subject->submit_job(job_request::for_model("bge-small-v1.5", corpus(texts))));
    }

    // Another client of the same account, of which this one knows nothing.
    void submit_by_another(std::size_t texts) {
        client_options second;
        second.base_url = "https://service.test";
        second.api_key = secret::from_key(w.remote->api_key()).value();
        second.env = w.env;
        second.transport_override = make_memory_transport(w.env, w.remote);
        client other(w.context.get_executor(), second);
        EXPECT_TRUE(w.run(other.submit_job(job_request::for_model("bge-small-v1.5", corpus(texts)))));
    }

    std::uint64_t asked = 0;
    world w;
};

service_options one_text_a_chunk() {
    service_options options;
    options.chunk_size = 1;
    return options;
}

TEST(account_reading, a_raw_submission_takes_its_share_of_the_minute) {
    client_options chosen;
    chosen.learn_limits = false;
    chosen.throttle.chunks_per_minute = 10;
    reading of(one_text_a_chunk(), chosen);
    const std::string body = R"({"model":"bge-small-v1.5","inputs":["a","b","c","d","e","f","g","h","i","j"]})";
    ASSERT_TRUE(of.w.run(of.w.subject->raw(http_method::post, "/jobs", body)));
    EXPECT_LT(of.w.now(), 1s);
    ASSERT_TRUE(of.submit(1));
    EXPECT_GE(of.w.now(), 60s) << "the response told ten chunks";
    const auto refused = of.w.run(of.w.subject->raw(http_method::post, "/jobs?x", "{}"));
    EXPECT_EQ(refused.error().kind, errc::invalid_request);
    ASSERT_TRUE(of.submit(1));
    EXPECT_LT(of.w.now(), 61s) << "what was refused cost nothing";
}

TEST(account_reading, a_period_that_is_used_up_says_when_the_next_begins) {
    service_options options = one_text_a_chunk();
    options.chunks_per_period = 5;
    reading of(options);
    ASSERT_TRUE(of.submit(5));
    const auto refused = of.submit(1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, errc::quota_exceeded);
    ASSERT_TRUE(refused.error().retry_after);
    EXPECT_LE(*refused.error().retry_after, 30 * 24h);
    EXPECT_GE(*refused.error().retry_after, 30 * 24h - 1min);
}

// Another client of the account used the day up: one request is refused, the others fail without one, and the
// account is read once.
TEST(account_reading, a_day_that_others_used_up_costs_one_request) {
    service_options options = one_text_a_chunk();
    options.chunks_per_day = 5;
    reading of(options);
    ASSERT_TRUE(of.submit(1));
    EXPECT_EQ(of.asked, 1u);
    world* const w = &of.w;
    of.submit_by_another(4);
    const std::uint64_t before = w->network->requests;
    EXPECT_EQ(of.submit(1).error().kind, errc::quota_exceeded);
    (void)w->env->run({}, w->env->now() + 1s);
    EXPECT_EQ(of.asked, 2u) << "beside what is under way";
    EXPECT_EQ(w->network->requests, before + 2);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(of.submit(1).error().kind, errc::quota_exceeded);
    }
    EXPECT_EQ(w->network->requests, before + 2);
}

TEST(account_reading, a_long_run_reads_it_every_ten_minutes) {
    service_options options;
    options.chunk_size = 1;
    options.chunks_per_minute = 10;
    reading of(options);
    vector_source source(corpus(355));
    ledger_sink sink;
    bulk_options bulk;
    bulk.model = "bge-small-v1.5";
    bulk.rows_per_job = 5;
    const auto report = of.w.run(of.w.subject->embed_corpus(source, sink, bulk));
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->rows_done, 355u);
    EXPECT_GE(of.w.now(), 35min);
    EXPECT_GE(of.asked, 4u);
    EXPECT_LE(of.asked, 6u);
}

TEST(account_reading, a_client_may_go_while_it_reads) {
    service_options options = one_text_a_chunk();
    options.chunks_per_day = 5;
    std::uint64_t read_to_the_end = 0;
    for (int events = 0; events < 60; ++events) {
        reading of(options);
        ASSERT_TRUE(of.submit(1));
        of.submit_by_another(4);
        std::optional<result<job>> told;
        of.w.subject->submit_job(job_request::for_model("bge-small-v1.5", corpus(1))).start([&](result<job> got) {
            told.emplace(std::move(got));
        });
        int left = events;
        (void)of.w.env->run([&] { return --left < 0; });
        of.w.subject.reset();
        (void)of.w.env->run();
        ASSERT_TRUE(told);
        ASSERT_FALSE(*told);
        read_to_the_end += of.asked > 1 ? 1 : 0;
    }
    EXPECT_GT(read_to_the_end, 0u);
    EXPECT_LT(read_to_the_end, 60u);
}

}  // namespace
}  // namespace vembed::testing
