#include "http/pipeline.hpp"

#include <map>

#include <gtest/gtest.h>

#include "support/scripted_transport.hpp"
#include "support/virtual_time.hpp"

namespace vembed::http {
namespace {

using namespace std::chrono_literals;
using policy::post_outcome;
using testing_support::begun;
using testing_support::scripted_transport;

// A small error table: the kind by status, the code from a body that begins with "code:", Retry-After in seconds.
mapped_error map_small(const response& from, const call&, wall_time) {
    error f(errc::api, "refused");
    f.http_status = from.head.status;
    f.kind = f.http_status == 429   ? errc::rate_limited
             : f.http_status == 503 ? errc::service_busy
             : f.http_status == 404 ? errc::not_found
             : f.http_status == 401 ? errc::unauthorized
                                    : errc::api;
    f.code = from.body.starts_with("code:") ? from.body.substr(5) : "";
    f.raw_body = from.body;
    if (const auto after = from.head.find("Retry-After")) {
        f.retry_after = std::chrono::seconds(std::stoi(std::string(*after)));
    }
    const bool documented = !f.code.empty() && f.code != "verification_timeout";
    return {std::move(f), documented                            ? policy::response_author::service
                          : policy::begins_like_json(from.body) ? policy::response_author::uncertain
                                                                : policy::response_author::intermediary};
}

std::vector<header_field> retry_after(const char* seconds) {
    return {header_field("Retry-After", seconds)};
}

class pipeline_test : public ::testing::Test {
protected:
    pipeline_test() {
        options.backoff.delay_ms_first = 1000ms;
        options.backoff.delay_ms_max = 8000ms;
        options.backoff.tries_max = 4;
        world.env->set_log_hook([this](const log_record& record) {
            ++events[std::string(record.event)];
            for (const log_field& field : record.fields) {
                logged += std::string(field.name) + "=" + field.value + "\n";
            }
        });
    }

    pipeline& subject() {
        if (!made_) {
            made_ = std::make_unique<pipeline>(world.env, server, gate, secret::from_key("cyb_the_key").value(),
                                               map_small, options);
        }
        return *made_;
    }

    static call ask(std::string target, monotonic_time deadline = no_deadline) {
        call what;
        what.target = std::move(target);
        what.deadline = deadline;
        return what;
    }

    result<response> repeat(call what) { return world.run(subject().repeat(std::move(what))); }

    static call a_post(monotonic_time deadline = no_deadline) {
        call what = ask("/jobs", deadline);
        what.method = http_method::post;
        what.body = "{}";
        return what;
    }

    post_result send(call what = a_post()) { return world.run(subject().send_once(std::move(what))); }

    testing_support::simulation world;
    std::shared_ptr<scripted_transport> server = std::make_shared<scripted_transport>(world.env);
    std::shared_ptr<admission::gate> gate =
        std::make_shared<admission::gate>(world.context.get_executor(), world.env, policy::quota_limits());
    pipeline_options options;
    std::map<std::string, int> events;
    std::string logged;

private:
    std::unique_ptr<pipeline> made_;
};

TEST_F(pipeline_test, asks_with_the_key_and_hands_out_the_response) {
    server->expect_get("/models").after(30ms).respond(200, "hello", {header_field("X-A", "b")});
    const result<response> got = repeat(ask("/models"));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(got->head.find("x-a"), "b");
    EXPECT_TRUE(server->seen.at(0).authorized);
    EXPECT_EQ(server->seen.at(0).headers.size(), 1u) << "a GET has no Content-Type";
    EXPECT_EQ(world.elapsed(), 30ms);
    EXPECT_TRUE(server->finished());
}

TEST_F(pipeline_test, leaves_the_key_out_where_asked) {
    server->expect_get("/health").respond(200, "{}");
    call what = ask("/health");
    what.authorize = false;
    ASSERT_TRUE(repeat(std::move(what)));
    EXPECT_FALSE(server->seen.at(0).authorized);
}

TEST_F(pipeline_test, claims_json_only_where_there_is_a_body) {
    server->expect_post("/jobs").with_body("{}").respond(201, "");
    server->expect_post("/jobs").with_body("").respond(201, "");
    (void)send();
    call empty = a_post();
    empty.body.clear();
    (void)send(std::move(empty));
    const auto has_type = [](const testing_support::seen_request& request) {
        return std::any_of(request.headers.begin(), request.headers.end(),
                           [](const header_field& field) { return field.name == "Content-Type"; });
    };
    EXPECT_TRUE(has_type(server->seen.at(0)));
    EXPECT_FALSE(has_type(server->seen.at(1)));
}

TEST_F(pipeline_test, sends_the_headers_of_the_api_and_of_the_call) {
    options.headers = {header_field("X-Tenant-ID", "t1")};
    server->expect_get("/events").respond(200, "");
    server->expect_get("/health").respond(200, "");
    call what = ask("/events");
    what.headers = {header_field("accept", "text/event-stream")};
    ASSERT_TRUE(repeat(std::move(what)));
    what = ask("/health");
    what.authorize = false;
    ASSERT_TRUE(repeat(std::move(what)));
    const auto named = [](const testing_support::seen_request& request) {
        std::map<std::string, std::string> fields;
        for (const header_field& field : request.headers) {
            fields[field.name] += field.value;
        }
        return fields;
    };
    using fields = std::map<std::string, std::string>;
    EXPECT_EQ(named(server->seen.at(0)), (fields{{"accept", "text/event-stream"}, {"X-Tenant-ID", "t1"}}));
    EXPECT_EQ(named(server->seen.at(1)), (fields{{"Accept", "application/json"}})) << "the tenant goes with the key";
}

TEST_F(pipeline_test, an_error_never_repeats_the_key) {
    server->expect_get("/x").respond(404, "code:you sent cyb_the_key");
    const result<response> got = repeat(ask("/x"));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, "you sent …");
    EXPECT_EQ(got.error().raw_body, "code:you sent …");
}

TEST_F(pipeline_test, one_try_tells_the_head_of_a_refusal_and_of_a_broken_response) {
    server->expect_get("/gone").respond(404, "code:none", {header_field("X-A", "b")});
    server->expect_get("/broken").respond(206, "some bytes", {header_field("ETag", "e")}).breaking_off_after(4);
    server->expect_get("/lost").fail(errc::network);
    const auto once = [&](std::string target) { return world.run(subject().read_once(ask(std::move(target)))); };
    const read_result gone = once("/gone");
    EXPECT_EQ(gone.error->kind, errc::not_found);
    EXPECT_EQ(gone.got.head.status, 404);
    EXPECT_EQ(gone.got.head.find("x-a"), "b");
    const read_result broken = once("/broken");
    EXPECT_EQ(broken.error->kind, errc::network);
    EXPECT_EQ(broken.got.head.status, 206);
    EXPECT_EQ(broken.got.body, "some");
    const read_result lost = once("/lost");
    EXPECT_EQ(lost.error->kind, errc::network);
    EXPECT_EQ(lost.got.head.status, 0);
    EXPECT_EQ(world.elapsed(), 0s) << "no try is repeated";
    EXPECT_TRUE(server->finished());
}

TEST_F(pipeline_test, one_try_of_a_refused_read_closes_the_gate) {
    server->expect_get("/x").respond(429, "code:slow", retry_after("10"));
    server->expect_get("/x").respond(200, "");
    EXPECT_EQ(world.run(subject().read_once(ask("/x"))).error->kind, errc::rate_limited);
    EXPECT_FALSE(world.run(subject().read_once(ask("/x"))).error);
    EXPECT_GE(world.elapsed(), 10s);
}

TEST_F(pipeline_test, every_try_takes_a_call_if_the_service_counts_them) {
    policy::quota_limits limits;
    limits.calls_per_minute = 2;
    gate = std::make_shared<admission::gate>(world.context.get_executor(), world.env, limits);
    server->expect_get("/x").fail(errc::network, 0);
    server->expect_get("/x").respond(500, "code:internal");
    server->expect_get("/x").respond(200, "");
    server->expect_get("/y").respond(200, "");
    ASSERT_TRUE(repeat(ask("/x"))) << "the first try sent nothing, so three tries are two calls";
    EXPECT_LT(world.elapsed(), 60s);
    ASSERT_TRUE(repeat(ask("/y")));
    EXPECT_GE(world.elapsed(), 60s);
}

TEST_F(pipeline_test, asks_no_third_time_for_the_same_breach_of_the_protocol) {
    server->expect_get("/x").fail(errc::protocol);
    server->expect_get("/x").fail(errc::protocol);
    const result<response> got = repeat(ask("/x"));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, errc::protocol);
    EXPECT_EQ(server->seen.size(), 2u);
}

TEST_F(pipeline_test, repeats_what_may_get_better_with_growing_delays) {
    server->expect_get("/x").fail(errc::network);
    server->expect_get("/x").respond(502, "<html>");
    server->expect_get("/x").fail(errc::protocol);
    server->expect_get("/x").respond(200, "at last");
    const result<response> got = repeat(ask("/x"));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "at last");
    ASSERT_EQ(server->seen.size(), 4u);
    const std::chrono::nanoseconds full[] = {1s, 2s, 4s};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto waited = server->seen[i + 1].at - server->seen[i].at;
        EXPECT_GE(waited, full[i] / 2);
        EXPECT_LE(waited, full[i]);
    }
    EXPECT_EQ(events["request_retried"], 3);
}

TEST_F(pipeline_test, tells_an_outage_when_it_begins_and_when_it_ends) {
    options.backoff.tries_max = 6;
    server->expect_get("/x").fail(error(errc::network, "connecting to a: Connection reset"));
    server->expect_get("/x").respond(200, "");
    for (int i = 0; i < 5; ++i) {
        server->expect_get("/y").after(1s).fail(error(errc::network, "connecting to a: Connection refused"));
    }
    server->expect_get("/y").respond(404, "code:none");
    ASSERT_TRUE(repeat(ask("/x")));
    EXPECT_EQ(events["service_unreachable"], 0) << "one lost connection is none";
    ASSERT_FALSE(repeat(ask("/y")));
    EXPECT_TRUE(server->finished());
    EXPECT_EQ(events["service_unreachable"], 1);
    EXPECT_EQ(events["service_reached"], 1);
    EXPECT_NE(logged.find("reason=Connection refused\n"), std::string::npos);
    EXPECT_FALSE(subject().outage().lasts());
}

TEST_F(pipeline_test, gives_up_after_its_tries_with_the_last_failure) {
    for (int i = 0; i < 4; ++i) {
        server->expect_get("/x").respond(500, "page " + std::to_string(i));
    }
    const result<response> got = repeat(ask("/x"));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().http_status, 500);
    EXPECT_EQ(got.error().raw_body, "page 3");
    EXPECT_TRUE(server->finished());
}

TEST_F(pipeline_test, does_not_repeat_what_cannot_get_better) {
    for (const int status : {301, 400, 401, 404, 413, 422}) {
        server->expect_get("/x").respond(status, "code:refused");
        const result<response> got = repeat(ask("/x"));
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().http_status, status);
        EXPECT_EQ(world.elapsed(), 0s);
    }
    server->expect_get("/x").fail(errc::io);
    EXPECT_EQ(repeat(ask("/x")).error().kind, errc::io);
    EXPECT_TRUE(server->finished());
}

TEST_F(pipeline_test, a_kept_connection_that_was_dead_is_replaced_at_once) {
    server->expect_get("/x").on_reused_connection().fail(errc::network);
    server->expect_get("/x").respond(200, "");
    ASSERT_TRUE(repeat(ask("/x")));
    EXPECT_EQ(world.elapsed(), 0s);

    server->expect_get("/x").on_reused_connection().fail(errc::network);
    server->expect_get("/x").on_reused_connection().fail(errc::network);
    server->expect_get("/x").respond(200, "");
    ASSERT_TRUE(repeat(ask("/x")));
    EXPECT_GE(world.elapsed(), 1s) << "but only once";
}

TEST_F(pipeline_test, honours_retry_after_for_everyone_and_does_not_count_it_as_a_try) {
    for (int i = 0; i < 8; ++i) {
        server->expect_get("/x").respond(i % 2 == 0 ? 429 : 503, "code:slow", retry_after("10"));
    }
    server->expect_get("/x").respond(200, "");
    ASSERT_TRUE(repeat(ask("/x"))) << "more refusals than tries";
    ASSERT_EQ(server->seen.size(), 9u);
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_GE(server->seen[i + 1].at - server->seen[i].at, 10s) << "never early";
        EXPECT_LE(server->seen[i + 1].at - server->seen[i].at, 12s);
    }

    server->expect_get("/x").respond(429, "code:slow", retry_after("10"));
    auto refused = world.begin(subject().repeat(ask("/x")));
    world.run_until(world.elapsed());
    const auto refused_at = world.elapsed();
    auto other = world.begin(subject().repeat(ask("/other")));
    world.run_until(refused_at + 9s);
    EXPECT_EQ(server->seen.size(), 10u) << "the other one waits too";
    refused.cancel();
    server->expect_get("/other").respond(200, "");
    world.run();
    EXPECT_TRUE(other.value());
    EXPECT_GE(server->seen.back().at - world.start, refused_at + 10s);
}

TEST_F(pipeline_test, what_breaks_off_is_asked_for_again_and_the_sink_begins_anew) {
    class keeping final : public response_sink {
    public:
        std::vector<std::string> bodies;
        result<void> begin(const response_head&) override {
            bodies.emplace_back();
            return {};
        }
        std::span<std::byte> prepare(std::size_t at_most) override {
            room_.resize(std::min<std::size_t>(at_most, 3));
            return room_;
        }
        result<void> commit(std::size_t size) override {
            bodies.back().append(reinterpret_cast<const char*>(room_.data()), size);
            return {};
        }

    private:
        std::vector<std::byte> room_;
    };
    keeping sink;
    server->expect_get("/o").respond(200, "0123456789").breaking_off_after(7);
    server->expect_get("/o").respond(500, "not for the sink");
    server->expect_get("/o").respond(200, "0123456789");
    call what = ask("/o");
    what.sink = &sink;
    const result<response> got = repeat(std::move(what));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "");
    EXPECT_EQ(sink.bodies, (std::vector<std::string>{"0123456", "0123456789"}));
}

TEST_F(pipeline_test, a_response_over_its_limit_is_refused_before_and_while_it_is_read) {
    for (const bool announced : {true, false}) {
        auto& planned = server->expect_get("/x").respond(200, std::string(101, 'x'));
        if (!announced) {
            planned.chunked();
        }
        call what = ask("/x");
        what.body_limit = 100;
        EXPECT_EQ(repeat(std::move(what)).error().kind, errc::response_too_large);
    }
    server->expect_get("/x").respond(200, std::string(100, 'x'));
    call fits = ask("/x");
    fits.body_limit = 100;
    EXPECT_EQ(repeat(std::move(fits))->body.size(), 100u);
    EXPECT_TRUE(server->finished());
}

TEST_F(pipeline_test, of_an_error_page_only_the_beginning_is_kept) {
    server->expect_get("/x").respond(404, std::string(500'000, 'h'));
    const result<response> got = repeat(ask("/x"));
    EXPECT_EQ(got.error().kind, errc::not_found) << "its status counts, not its size";
    EXPECT_EQ(got.error().raw_body.size(), 64u * 1024);
}

TEST_F(pipeline_test, one_try_ends_before_the_call_does) {
    options.try_timeout = 60s;
    server->expect_get("/x");
    server->expect_get("/x").respond(200, "");
    ASSERT_TRUE(repeat(ask("/x")));
    EXPECT_GE(world.elapsed(), 60s);
    EXPECT_LE(world.elapsed(), 61s);
}

TEST_F(pipeline_test, the_deadline_ends_a_try_with_timeout) {
    server->expect_get("/x");
    const result<response> got = repeat(ask("/x", world.start + 5s));
    EXPECT_EQ(got.error().kind, errc::timeout);
    EXPECT_EQ(world.elapsed(), 5s);
}

TEST_F(pipeline_test, fails_at_once_where_the_next_try_would_come_after_the_deadline) {
    server->expect_get("/x").respond(503, "code:busy", retry_after("30"));
    const result<response> busy = repeat(ask("/x", world.start + 20s));
    EXPECT_EQ(busy.error().kind, errc::service_busy);
    EXPECT_EQ(world.elapsed(), 0s);
    EXPECT_EQ(server->seen.size(), 1u);
}

TEST_F(pipeline_test, cancellation_reaches_the_try_the_pause_and_the_gate) {
    server->expect_get("/x");
    auto trying = world.begin(subject().repeat(ask("/x")));
    world.run_until(1s);
    trying.cancel();
    world.run_until(1s);
    EXPECT_EQ(trying.value().error().kind, errc::cancelled);

    server->expect_get("/x").fail(errc::network);
    auto pausing = world.begin(subject().repeat(ask("/x")));
    world.run_until(1s + 100ms);
    EXPECT_FALSE(pausing.ended());
    pausing.cancel();
    world.run_until(1s + 100ms);
    EXPECT_EQ(pausing.value().error().kind, errc::cancelled);

    gate->pause(100s, error(errc::service_busy, "busy"));
    auto waiting = world.begin(subject().repeat(ask("/x")));
    world.run_until(5s);
    waiting.cancel();
    world.run_until(5s);
    EXPECT_EQ(waiting.value().error().kind, errc::cancelled);
    EXPECT_EQ(server->seen.size(), 2u);
}

TEST_F(pipeline_test, a_post_is_sent_once_whatever_becomes_of_it) {
    struct post_case {
        const char* what;
        std::optional<int> status;
        const char* body;
        std::optional<errc> error;
        std::uint64_t written;
        post_outcome outcome;
        std::optional<errc> kind;
    };
    constexpr std::uint64_t all = testing_support::scripted_exchange::all_written;
    for (const auto& c : {
             post_case{"accepted", 201, "{}", {}, all, post_outcome::accepted, {}},
             post_case{"documented refusal", 400, "code:invalid", {}, all, post_outcome::rejected, errc::api},
             post_case{"busy", 503, "code:service_busy", {}, all, post_outcome::rejected, errc::service_busy},
             post_case{"a proxy's 503", 503, "<html>", {}, all, post_outcome::unknown, errc::outcome_unknown},
             post_case{"a proxy's 502", 502, "<html>", {}, all, post_outcome::unknown, errc::outcome_unknown},
             post_case{"empty 500", 500, "", {}, all, post_outcome::unknown, errc::outcome_unknown},
             post_case{"504", 504, "code:verification_timeout", {}, all, post_outcome::unknown, errc::outcome_unknown},
             post_case{"redirect", 307, "", {}, all, post_outcome::rejected, errc::api},
             post_case{"no connection", {}, "", errc::network, 0, post_outcome::not_sent, errc::network},
             post_case{"cut while written", {}, "", errc::network, 1, post_outcome::unknown, errc::outcome_unknown},
             post_case{"cut afterwards", {}, "", errc::network, all, post_outcome::unknown, errc::outcome_unknown},
             post_case{
                 "rubbish for a response", {}, "", errc::protocol, all, post_outcome::unknown, errc::outcome_unknown},
             post_case{"cancelled before", {}, "", errc::cancelled, 0, post_outcome::not_sent, errc::cancelled},
             post_case{"cancelled after", {}, "", errc::cancelled, all, post_outcome::unknown, errc::outcome_unknown},
         }) {
        SCOPED_TRACE(c.what);
        auto& planned = server->expect_post("/jobs");
        c.error ? planned.fail(*c.error, c.written) : planned.respond(*c.status, c.body);
        const std::size_t before = server->seen.size();
        const post_result sent = send();
        EXPECT_EQ(sent.outcome, c.outcome);
        EXPECT_EQ(sent.error.has_value(), c.kind.has_value());
        if (c.kind) {
            EXPECT_EQ(sent.error->kind, *c.kind);
        } else {
            EXPECT_EQ(sent.accepted.body, c.body);
        }
        EXPECT_EQ(server->seen.size(), before + 1);
    }
    EXPECT_TRUE(server->finished());
}

TEST_F(pipeline_test, an_accepted_response_that_cannot_be_kept_is_unknown) {
    server->expect_post("/jobs").respond(201, std::string(200, 'x'));
    call what = a_post();
    what.body_limit = 100;
    const post_result sent = send(std::move(what));
    EXPECT_EQ(sent.outcome, post_outcome::unknown);
    EXPECT_EQ(sent.error->http_status, 201);
}

TEST_F(pipeline_test, a_posts_deadline_says_how_far_it_got) {
    server->expect_post("/jobs");
    const post_result sent = send(a_post(world.start + 5s));
    EXPECT_EQ(sent.outcome, post_outcome::unknown);
    EXPECT_EQ(world.elapsed(), 5s);
    server->expect_post("/jobs").fail(errc::timeout, 0);
    const post_result unsent = send(a_post(world.start + 500s));
    EXPECT_EQ(unsent.outcome, post_outcome::not_sent);
}

TEST_F(pipeline_test, a_post_refused_or_lost_to_a_busy_service_closes_the_gate) {
    for (const char* body : {"code:busy", "<html>a proxy's page</html>"}) {
        server->expect_post("/jobs").respond(503, body, retry_after("10"));
        (void)send();
        const auto before = world.env->now();
        server->expect_get("/x").respond(200, "");
        ASSERT_TRUE(repeat(ask("/x")));
        EXPECT_GE(world.env->now() - before, 10s);
        EXPECT_LE(world.env->now() - before, 12s);
    }
    EXPECT_EQ(gate->statistics().pauses, 2u);
}

TEST_F(pipeline_test, the_log_has_neither_key_nor_text) {
    server->expect_post("/jobs").with_body("{}").fail(errc::network, 5);
    server->expect_get("/jobs/j1").respond(401, "code:unauthorized");
    (void)send();
    (void)repeat(ask("/jobs/j1"));
    EXPECT_EQ(events["request"], 2);
    EXPECT_EQ(events["outcome_unknown"], 1);
    EXPECT_NE(logged.find("target=/jobs/j1\n"), std::string::npos);
    EXPECT_NE(logged.find("outcome=unauthorized\n"), std::string::npos);
    EXPECT_EQ(logged.find("cyb_"), std::string::npos);
    EXPECT_EQ(logged.find("{}"), std::string::npos);
}

}  // namespace
}  // namespace vembed::http
