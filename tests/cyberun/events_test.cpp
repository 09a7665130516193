#include "cyberun/watch/events.hpp"

#include <gtest/gtest.h>

namespace vembed::cyberun {
namespace {

struct event_row {
    const char* name;
    const char* data;
    event_kind kind;
    task_state state;
    std::optional<double> progress;
    const char* text;
};

TEST(cyberun_events, table) {
    constexpr task_state none = task_state::unknown;
    for (const event_row& r : {
             event_row{"progress", R"({"progress":0.25,"step_current":3,"step_total":12,"stage":"s"})",
                       event_kind::progress, none, 0.25, ""},
             event_row{"progress", R"({"progress":"0.5","message":"half"})", event_kind::progress, none, 0.5, "half"},
             event_row{"progress", R"({"progress":45})", event_kind::progress, none, {}, ""},
             event_row{"progress", R"({"progress":-0.1})", event_kind::progress, none, {}, ""},
             event_row{"progress", "{}", event_kind::progress, none, {}, ""},
             event_row{"progress", R"({"progress":0.)", event_kind::unreadable, none, {}, ""},
             event_row{"progress", "[0.5]", event_kind::unreadable, none, {}, ""},
             event_row{
                 "status", R"({"task_id":"t","status":"RUNNING"})", event_kind::status, task_state::running, {}, ""},
             event_row{"status", R"({"task_status":"queued"})", event_kind::status, task_state::queued, {}, ""},
             event_row{"status", R"({"status":"canceled"})", event_kind::status, task_state::cancelled, {}, ""},
             event_row{"status", R"({"status":"dreaming"})", event_kind::status, none, {}, ""},
             event_row{"status", "{}", event_kind::unreadable, none, {}, ""},
             event_row{"message", R"({"status":"completed"})", event_kind::status, task_state::completed, {}, ""},
             event_row{"message", R"({"hello":1})", event_kind::ignored, none, {}, ""},
             event_row{"message", "hello", event_kind::unreadable, none, {}, ""},
             event_row{"completed", R"({"output":{"a":1}})", event_kind::completed, task_state::completed, {}, ""},
             event_row{"completed", "done", event_kind::unreadable, none, {}, ""},
             event_row{
                 "failed", R"({"error":"out of memory"})", event_kind::failed, task_state::failed, {}, "out of memory"},
             event_row{"failed", R"({"error":{"message":"m"}})", event_kind::failed, task_state::failed, {}, "m"},
             event_row{"Cancelled", "{}", event_kind::cancelled, task_state::cancelled, {}, ""},
             event_row{"canceled", "{}", event_kind::cancelled, task_state::cancelled, {}, ""},
             event_row{"error", R"({"error":"try again"})", event_kind::stream_error, none, {}, "try again"},
             event_row{"error", "no json", event_kind::stream_error, none, {}, "no json"},
             event_row{"heartbeat", "{broken", event_kind::ignored, none, {}, ""},
         }) {
        const task_event made = read_event(sse::event(r.name, r.data, ""));
        EXPECT_EQ(made.kind, r.kind) << r.name << r.data;
        EXPECT_EQ(made.state, r.state) << r.name << r.data;
        EXPECT_EQ(claims_end(made), is_terminal(r.state)) << r.name << r.data;
        EXPECT_EQ(made.progress, r.progress) << r.name << r.data;
        EXPECT_EQ(made.text, r.text) << r.name << r.data;
        EXPECT_EQ(made.name, r.name);
    }
}

TEST(cyberun_events, keep_what_is_not_known) {
    const task_event made = read_event(sse::event(
        "progress",
        R"({"progress":1,"step_current":"3","step_total":12,"current_node":"9","stage":"s","timestamp":"t","x":[1]})",
        ""));
    EXPECT_EQ(made.step_current, 3u);
    EXPECT_EQ(made.step_total, 12u);
    EXPECT_EQ(made.current_node, "9");
    EXPECT_EQ(made.stage, "s");
    EXPECT_EQ(made.timestamp, "t");
    EXPECT_TRUE(made.raw.as_object().contains("x"));
    EXPECT_LE(read_event(sse::event("error", std::string(1 << 20, 'x'), "")).text.size(), 2048u);
    EXPECT_LE(read_event(sse::event(std::string(1 << 20, 'x'), "{}", "")).name.size(), 64u);
}

}  // namespace
}  // namespace vembed::cyberun
