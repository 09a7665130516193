// Waiting for Cyberun's tasks: by stream and by polling, with every fault of a stream, cancelled, and up to a deadline.

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cyberun/client_world.hpp"

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;

std::vector<header_field> stream_type() {
    return {header_field("Content-Type", "text/event-stream; charset=utf-8")};
}

class fault_row {
public:
    std::string name;
    std::string faults;
    std::uint64_t streams_max = 0;
    std::uint64_t reads_max = 0;
};

TEST(cyberun_wait, every_fault_of_a_stream_ends_in_the_right_outcome) {
    const std::vector<fault_row> rows{
        {"none", "drop=0", 1, 4},
        {"cut", "sse_cut=1,sse_cut_bytes=300", 30, 40},
        {"cut at once", "sse_cut=1,sse_cut_bytes=1", 3, 12},
        {"silent", "sse_silent=1", 1, 8},
        {"buffered", "sse_buffered=1", 1, 4},
        {"error events", "sse_errors=1", 1, 4},
        {"CR only", "sse_cr=1", 1, 4},
        {"comments", "sse_comments=1", 1, 4},
        {"split UTF-8", "sse_split=1", 1, 4},
        {"no terminal event", "sse_no_terminal=1", 2, 6},
        {"refused", "sse_refused=1", 0, 12},
        {"all of the text's", "sse_cr=1,sse_comments=1,sse_split=1,sse_errors=1", 1, 4},
        {"goes back", "goes_back=1", 1, 8},
    };
    for (const fault_row& each : rows) {
        testing::cyberun_options served;
        served.faults = testing::cyberun_faults::parse(each.faults).value();
        served.task_time_ms = 20'000;
        served_world w(served);
        const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
        ASSERT_TRUE(made) << made.error();
        const auto begun = w.world.elapsed();
        const result<task> ended = w.world.run(w.subject->wait_task(made->task_id, {}, within(300s)));
        ASSERT_TRUE(ended) << each.name << ": " << ended.error();
        EXPECT_EQ(ended->id, made->task_id);
        EXPECT_LE(w.world.elapsed() - begun, 85s) << each.name;
        EXPECT_LE(w.service->counters().streams_opened, each.streams_max) << each.name;
        EXPECT_LE(w.service->counters().task_reads, each.reads_max) << each.name;
    }
}

TEST(cyberun_wait, a_failed_task_is_an_error_by_stream_and_by_polling) {
    for (const bool no_sse : {false, true}) {
        testing::cyberun_options served;
        served.faults.failed = 1;
        served_world w(served);
        const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
        wait_options how;
        how.no_sse = no_sse;
        const result<task> ended = w.world.run(w.subject->wait_task(made->task_id, how));
        ASSERT_FALSE(ended);
        EXPECT_EQ(ended.error().kind, errc::job_failed);
        EXPECT_EQ(ended.error().job_id, made->task_id);
        EXPECT_NE(ended.error().message.find("a planned fault"), std::string::npos);
        EXPECT_EQ(w.service->counters().streams_opened, no_sse ? 0u : 1u);
    }
}

TEST(cyberun_wait, events_and_states_are_told) {
    testing::cyberun_options served;
    served.progress_steps = 4;
    served_world w(served);
    const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
    std::vector<event_kind> events;
    std::vector<task_state> states;
    wait_options how;
    how.on_event = [&](const task_event& event) { events.push_back(event.kind); };
    how.on_task = [&](const task& seen) { states.push_back(seen.state); };
    ASSERT_TRUE(w.world.run(w.subject->wait_task(made->task_id, how)));
    EXPECT_EQ(std::ranges::count(events, event_kind::progress), 4);
    EXPECT_EQ(events.back(), event_kind::completed);
    EXPECT_EQ(states.back(), task_state::completed);
    EXPECT_GE(states.size(), 2u);
}

TEST(cyberun_wait, an_exception_of_a_callback_ends_the_wait) {
    for (const bool of_event : {true, false}) {
        served_world w;
        const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
        wait_options how;
        if (of_event) {
            how.on_event = [](const task_event&) { throw std::runtime_error("no"); };
        } else {
            how.on_task = [](const task&) { throw std::runtime_error("no"); };
        }
        const result<task> ended = w.world.run(w.subject->wait_task(made->task_id, how));
        ASSERT_FALSE(ended);
        EXPECT_EQ(ended.error().kind, errc::callback_failed);
        EXPECT_LT(w.world.elapsed(), 2s);
    }
}

TEST(cyberun_wait, a_stream_that_is_none_is_polled) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/tasks/t/events").respond(200, "{}", {header_field("Content-Type", "text/html")});
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "queued"));
    w.server->expect_get("/api/v1/r/tasks/t").respond(502, "<html>");
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "Completed"));
    ASSERT_TRUE(w.world.run(w.subject().wait_task("t", {}, within(500s))));
    EXPECT_TRUE(w.server->finished());
    ASSERT_FALSE(w.server->seen.empty());
    const auto& headers = w.server->seen.front().headers;
    const auto says = [&headers](const char* name, const char* value) {
        return std::ranges::any_of(headers,
                                   [&](const header_field& each) { return each.name == name && each.value == value; });
    };
    EXPECT_TRUE(says("Accept", "text/event-stream"));
    EXPECT_TRUE(says("Cache-Control", "no-store"));
}

TEST(cyberun_wait, the_last_event_id_is_sent_again) {
    scripted_world w;
    w.server->expect_get("/api/v1/r/tasks/t/events")
        .respond(200, "id: 7\nevent: progress\ndata: {}\n\n", stream_type());
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "running"));
    w.server->expect_get("/api/v1/r/tasks/t/events")
        .after(10s)
        .respond(200, "event: cancelled\ndata: {}\n\n", stream_type());
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "canceled"));
    const result<task> ended = w.world.run(w.subject().wait_task("t", {}, within(500s)));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, errc::job_cancelled) << ended.error();
    ASSERT_GE(w.server->seen.size(), 3u);
    const auto& headers = w.server->seen[2].headers;
    EXPECT_TRUE(std::ranges::any_of(
        headers, [](const header_field& each) { return each.name == "Last-Event-ID" && each.value == "7"; }));
}

TEST(cyberun_wait, a_refused_key_ends_the_wait) {
    for (const bool no_sse : {false, true}) {
        scripted_world w;
        w.server->expect_get(no_sse ? "/api/v1/r/tasks/t" : "/api/v1/r/tasks/t/events")
            .respond(401, R"({"error":"the-api-key is revoked"})");
        wait_options how;
        how.no_sse = no_sse;
        const result<task> ended = w.world.run(w.subject().wait_task("t", how));
        ASSERT_FALSE(ended);
        EXPECT_EQ(ended.error().kind, errc::unauthorized);
        EXPECT_EQ(ended.error().describe().find("the-api-key"), std::string::npos);
    }
}

TEST(cyberun_wait, a_response_that_is_no_task_twice_ends_the_wait) {
    scripted_world w;
    wait_options how;
    how.no_sse = true;
    for (int i = 0; i < 2; ++i) {
        w.server->expect_get("/api/v1/r/tasks/t").respond(200, "<html>");
    }
    const result<task> ended = w.world.run(w.subject().wait_task("t", how, within(500s)));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, errc::protocol);
    EXPECT_TRUE(w.server->finished());
}

class abort_row {
public:
    bool no_sse = false;
    bool cancel_task = false;
    bool by_deadline = false;
};

TEST(cyberun_wait, giving_up_cancels_the_task_only_if_asked_to) {
    for (int bits = 0; bits < 8; ++bits) {
        const abort_row each{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
        testing::cyberun_options served;
        served.task_time_ms = 60'000;
        served_world w(served);
        const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
        wait_options how;
        how.no_sse = each.no_sse;
        how.cancel_on_abort = each.cancel_task;
        auto waiting = w.world.begin<result<task>>(
            w.subject->wait_task(made->task_id, how, within(each.by_deadline ? 20s : 500s)));
        w.world.run_until(15s);
        ASSERT_FALSE(waiting.ended()) << bits;
        if (!each.by_deadline) {
            waiting.cancel();
        }
        w.world.run_until(25s);
        ASSERT_TRUE(waiting.ended()) << bits;
        ASSERT_FALSE(waiting.value()) << bits;
        EXPECT_EQ(waiting.value().error().kind, each.by_deadline ? errc::timeout : errc::cancelled) << bits;
        EXPECT_EQ(waiting.value().error().job_id, made->task_id);
        const result<task> seen = w.world.run(w.subject->get_task(made->task_id));
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->state, each.cancel_task ? task_state::cancelled : task_state::running) << bits;
    }
}

TEST(cyberun_wait, a_task_that_cannot_be_cancelled_does_not_hold_the_call) {
    scripted_world w;
    wait_options how;
    how.no_sse = true;
    how.cancel_on_abort = true;
    w.server->expect_get("/api/v1/r/tasks/t").respond(200, state_of("t", "queued"));
    w.server->expect_post("/api/v1/r/tasks/t/cancel");  // It is never answered.
    const result<task> ended = w.world.run(w.subject().wait_task("t", how, within(2s)));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, errc::timeout);
    EXPECT_NE(ended.error().message.find("may go on"), std::string::npos);
    EXPECT_LE(w.world.elapsed(), 13s);
}

TEST(cyberun_wait, a_client_that_goes_away_ends_its_waits) {
    testing::cyberun_options served;
    served.task_time_ms = 60'000;
    served_world w(served);
    const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
    wait_options how;
    how.cancel_on_abort = true;
    auto waiting = w.world.begin<result<task>>(w.subject->wait_task(made->task_id, how));
    w.world.run_until(10s);
    w.subject.reset();
    w.world.run_until(11s);
    ASSERT_TRUE(waiting.ended());
    EXPECT_EQ(waiting.value().error().kind, errc::cancelled);
}

// The requests themselves fail in every way, from a seed.
TEST(cyberun_wait, bad_weather_ends_in_the_right_outcome) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        testing::cyberun_options served;
        served.seed = seed;
        served.task_time_ms = 30'000;
        served.faults = testing::cyberun_faults::parse(
                            "drop=0.2,bad_gateway=0.1,internal_error=0.1,rate_limited=0.1,"
                            "sse_cut=0.4,sse_silent=0.2,sse_buffered=0.2,sse_errors=0.5,"
                            "sse_cr=0.5,sse_split=0.2,sse_no_terminal=0.3,goes_back=0.3")
                            .value();
        served_world w(served);
        const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
        if (!made) {
            EXPECT_EQ(made.error().kind, errc::outcome_unknown) << seed << ' ' << made.error();
            EXPECT_LE(w.service->counters().tasks_accepted, 1u);
            continue;
        }
        EXPECT_EQ(w.service->counters().tasks_accepted, 1u) << seed;
        const result<task> ended = w.world.run(w.subject->wait_task(made->task_id, {}, within(1000s)));
        EXPECT_TRUE(ended) << seed << ' ' << ended.error();
    }
}

}  // namespace
}  // namespace vembed::cyberun
