#include "cyberun/watch/watch_plan.hpp"

#include <gtest/gtest.h>

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using step_kind = watch_step::kind;
using at = std::optional<monotonic_clock::duration>;

constexpr monotonic_time start{1000h};
// Of backoff_delay() and with_positive_jitter(): no spread.
constexpr std::uint64_t no_jitter = 0;

at since_start(std::optional<monotonic_time> time) {
    return time ? at(*time - start) : std::nullopt;
}

at open_at(const watch_plan& plan) {
    return since_start(plan.next(start).open_at);
}

at read_at(const watch_plan& plan) {
    return since_start(plan.next(start).read_at);
}

task task_in(task_state state, std::uint64_t retries = 0) {
    task made;
    made.state = state;
    made.state_text = std::string(to_string(state));
    made.retry_count = retries;
    return made;
}

task_event event_of(event_kind kind, task_state state = task_state::unknown) {
    task_event made;
    made.kind = kind;
    made.state = state;
    return made;
}

mapped_refusal refused(refusal what, std::optional<std::chrono::seconds> asked = {}) {
    mapped_refusal made;
    made.what = what;
    made.asked_delay = asked;
    made.error = error(errc::api, "refused");
    return made;
}

watch_news read_now(watch_plan& plan, monotonic_clock::duration when, const task& seen) {
    plan.read_asked(start + when);
    return plan.task_read(seen, start + when, no_jitter);
}

// A plan whose stream opened at 0 s and whose task was read then.
watch_plan opened(const watch_options& options = {}) {
    watch_plan plan(options, start);
    plan.stream_asked();
    plan.stream_opened(start);
    read_now(plan, 0s, task_in(task_state::running));
    return plan;
}

TEST(cyberun_watch, answers_to_a_request_for_the_stream) {
    struct row {
        int status;
        const char* type;
        stream_answer answer;
    };
    for (const row& r : {
             row{200, "text/event-stream", stream_answer::opened},
             row{200, "Text/Event-Stream; charset=utf-8", stream_answer::opened},
             row{200, " text/event-stream ;x", stream_answer::opened},
             row{200, "text/event-stream2", stream_answer::not_offered},
             row{200, "application/json", stream_answer::not_offered},
             row{200, "", stream_answer::not_offered},
             row{201, "text/event-stream", stream_answer::not_offered},
             row{204, "text/event-stream", stream_answer::not_offered},
             row{302, "", stream_answer::not_offered},
             row{400, "", stream_answer::not_offered},
             row{401, "", stream_answer::refused},
             row{403, "", stream_answer::refused},
             row{404, "", stream_answer::not_offered},
             row{405, "", stream_answer::not_offered},
             row{406, "", stream_answer::not_offered},
             row{408, "", stream_answer::refused},
             row{429, "", stream_answer::refused},
             row{500, "", stream_answer::refused},
             row{501, "", stream_answer::not_offered},
             row{503, "text/event-stream", stream_answer::refused},
         }) {
        EXPECT_EQ(judge_stream(r.status, r.type), r.answer) << r.status << r.type;
    }
}

TEST(cyberun_watch, the_stream_is_opened_and_the_task_is_read_after_it) {
    watch_plan plan({}, start);
    EXPECT_EQ(open_at(plan), at(0s));
    EXPECT_EQ(read_at(plan), at(30s)) << "should the stream never answer";
    plan.stream_asked();
    EXPECT_EQ(open_at(plan), at());
    plan.stream_opened(start + 2s);
    EXPECT_EQ(open_at(plan), at());
    EXPECT_EQ(read_at(plan), at(2s));
    plan.read_asked(start + 2s);
    EXPECT_EQ(read_at(plan), at());
    EXPECT_EQ(plan.next(start + 2s).wake_at, no_deadline);
    plan.task_read(task_in(task_state::queued), start + 3s, no_jitter);
    EXPECT_EQ(read_at(plan), at(33s));
}

TEST(cyberun_watch, polling_alone_never_opens_the_stream) {
    watch_options options;
    options.use_stream = false;
    watch_plan plan(options, start);
    EXPECT_TRUE(plan.polls());
    EXPECT_EQ(open_at(plan), at());
    EXPECT_EQ(read_at(plan), at(0s));
    // The distance grows while nothing changes, and a retry is a change.
    monotonic_clock::duration now = 0s;
    for (const auto& [retries, distance] :
         {std::pair(0, 3000ms), std::pair(0, 4500ms), std::pair(0, 6750ms), std::pair(0, 10125ms),
          std::pair(0, 15000ms), std::pair(0, 15000ms), std::pair(1, 3000ms), std::pair(1, 4500ms)}) {
        read_now(plan, now, task_in(task_state::running, static_cast<std::uint64_t>(retries)));
        EXPECT_EQ(read_at(plan), at(now + distance));
        now += distance;
    }
    plan.read_asked(start + now);
    plan.task_read(task_in(task_state::running, 1), start + now, 12345);
    EXPECT_GT(read_at(plan), at(now + 6750ms));
    EXPECT_LT(read_at(plan), at(now + 6750ms * 11 / 10));
}

TEST(cyberun_watch, silence_and_heartbeats) {
    watch_plan plan = opened();
    EXPECT_EQ(read_at(plan), at(30s));
    plan.event_read(event_of(event_kind::progress), start + 10s);
    EXPECT_EQ(read_at(plan), at(40s));
    plan.comment_read(start + 20s);
    EXPECT_EQ(read_at(plan), at(50s));
    read_now(plan, 50s, task_in(task_state::running));
    EXPECT_EQ(read_at(plan), at(80s)) << "each 30 s of silence again";
    // Comments alone keep silence away, but not for ever.
    for (auto now = 60s; now < 350s; now += 10s) {
        EXPECT_GT(read_at(plan), at(now)) << now.count();
        plan.comment_read(start + now);
    }
    EXPECT_EQ(read_at(plan), at(350s)) << "five minutes after the last GET";
}

TEST(cyberun_watch, what_each_event_asks_for) {
    struct row {
        event_kind kind;
        task_state state;
        monotonic_clock::duration read;
    };
    for (const row& r : {
             row{event_kind::progress, task_state::unknown, 31s},
             row{event_kind::status, task_state::running, 31s},
             row{event_kind::status, task_state::unknown, 31s},
             row{event_kind::status, task_state::failed, 1s},
             row{event_kind::completed, task_state::completed, 1s},
             row{event_kind::failed, task_state::failed, 1s},
             row{event_kind::cancelled, task_state::cancelled, 1s},
             row{event_kind::stream_error, task_state::unknown, 31s},
             row{event_kind::ignored, task_state::unknown, 31s},
             row{event_kind::unreadable, task_state::unknown, 3s},
         }) {
        watch_plan plan = opened();
        plan.event_read(event_of(r.kind, r.state), start + 1s);
        EXPECT_EQ(read_at(plan), at(r.read)) << to_string(r.kind);
        EXPECT_EQ(plan.next(start + 1s).what, step_kind::act) << "an event never ends the wait";
    }
}

TEST(cyberun_watch, unreadable_events_ask_once_in_three_seconds) {
    watch_plan plan = opened();
    std::size_t reads = 0;
    for (auto now = 0ms; now < 30s; now += 10ms) {
        plan.event_read(event_of(event_kind::unreadable), start + now);
        if (plan.next(start + now).read_at <= start + now) {
            read_now(plan, now, task_in(task_state::running));
            ++reads;
        }
    }
    EXPECT_EQ(reads, 9u);
}

TEST(cyberun_watch, a_claimed_end_is_read_until_it_shows_or_is_withdrawn) {
    watch_plan plan = opened();
    plan.event_read(event_of(event_kind::completed, task_state::completed), start + 1s);
    read_now(plan, 1s, task_in(task_state::running));
    EXPECT_EQ(read_at(plan), at(5500ms));
    read_now(plan, 5500ms, task_in(task_state::running));
    EXPECT_EQ(read_at(plan), at(5500ms + 6750ms));
    watch_plan other = plan;
    other.event_read(event_of(event_kind::progress), start + 6s);
    read_now(other, 13s, task_in(task_state::running));
    EXPECT_EQ(read_at(other), at(43s));
    read_now(plan, 13s, task_in(task_state::completed));
    EXPECT_EQ(plan.next(start + 13s).what, step_kind::finished);
    EXPECT_EQ(plan.next(start + 13s).state, task_state::completed);
}

TEST(cyberun_watch, streams_are_opened_again) {
    watch_plan plan = opened();
    plan.event_read(event_of(event_kind::progress), start + 1s);
    plan.stream_ended({}, start + 2s, no_jitter);
    EXPECT_EQ(read_at(plan), at(2s)) << "after every end of a stream";
    EXPECT_EQ(open_at(plan), at(3s));
    read_now(plan, 2s, task_in(task_state::running));
    plan.stream_asked();
    plan.stream_refused(unreached(error(errc::network, "reset")), start + 3s, no_jitter);
    EXPECT_EQ(open_at(plan), at(5s));
    for (const auto& [tried, next] :
         {std::pair(5s, 9s), std::pair(9s, 17s), std::pair(17s, 33s), std::pair(33s, 63s), std::pair(63s, 93s)}) {
        plan.stream_asked();
        plan.stream_refused(unreached(error(errc::network, "reset")), start + tried, no_jitter);
        EXPECT_EQ(open_at(plan), at(next));
    }
    EXPECT_FALSE(plan.polls()) << "what was not reached is no stream without an event";
    plan.stream_asked();
    plan.stream_opened(start + 93s);
    EXPECT_EQ(read_at(plan), at(93s)) << "after every connection";
    plan.event_read(event_of(event_kind::stream_error), start + 94s);
    plan.stream_ended(10s, start + 95s, no_jitter);
    EXPECT_EQ(open_at(plan), at(105s)) << "the stream's own retry time";
    plan.stream_asked();
    plan.stream_opened(start + 105s);
    plan.event_read(event_of(event_kind::ignored), start + 105s);
    plan.stream_ended(1h, start + 106s, 500);
    EXPECT_EQ(open_at(plan), at(136s)) << "but not for longer than 30 s";
}

TEST(cyberun_watch, reconnects_have_jitter) {
    for (const std::uint64_t bits : {0u, 1u, 500u, 99999u}) {
        watch_plan plan = opened();
        plan.event_read(event_of(event_kind::progress), start);
        plan.stream_ended({}, start, bits);
        EXPECT_GE(open_at(plan), at(500ms));
        EXPECT_LE(open_at(plan), at(1s));
    }
}

TEST(cyberun_watch, three_streams_without_an_event_end_in_polling) {
    for (const bool events_between : {false, true}) {
        watch_plan plan = opened();
        monotonic_clock::duration now = 1s;
        for (int stream = 1; stream <= 4 && !plan.polls(); ++stream) {
            plan.comment_read(start + now);
            if (events_between && stream == 3) {
                plan.event_read(event_of(event_kind::progress), start + now);
            }
            plan.stream_ended({}, start + now, no_jitter);
            EXPECT_EQ(plan.polls(), !events_between && stream == 3) << stream;
            EXPECT_EQ(read_at(plan), at(now));
            read_now(plan, now, task_in(task_state::running));
            if (!plan.polls()) {
                now = *open_at(plan);
                plan.stream_asked();
                plan.stream_opened(start + now);
            }
        }
        if (!events_between) {
            EXPECT_EQ(open_at(plan), at());
            EXPECT_EQ(read_at(plan), at(now + 4500ms));
        }
    }
}

TEST(cyberun_watch, what_follows_a_refused_stream) {
    struct row {
        refusal what;
        std::optional<std::chrono::seconds> asked;
        step_kind kind;
        at open;
        at read;
    };
    for (const row& r : {
             row{refusal::key, {}, step_kind::failed, {}, {}},
             row{refusal::forbidden, {}, step_kind::failed, {}, {}},
             row{refusal::rate, 40s, step_kind::act, 40s, 40s},
             row{refusal::rate, {}, step_kind::act, 5s, 30s},
             row{refusal::service, 40s, step_kind::act, 40s, 30s},
             row{refusal::service, {}, step_kind::act, 5s, 30s},
             row{refusal::unreached, {}, step_kind::act, 1s, 30s},
             row{refusal::unknown, {}, step_kind::act, {}, 0s},
             row{refusal::request, {}, step_kind::act, {}, 0s},
         }) {
        watch_plan plan({}, start);
        plan.stream_asked();
        plan.stream_refused(refused(r.what, r.asked), start, no_jitter);
        const watch_step step = plan.next(start);
        EXPECT_EQ(step.what, r.kind) << static_cast<int>(r.what);
        EXPECT_EQ(since_start(step.open_at), r.open) << static_cast<int>(r.what);
        EXPECT_EQ(since_start(step.read_at), r.read) << static_cast<int>(r.what);
        EXPECT_EQ(step.failure.has_value(), r.kind == step_kind::failed);
    }
    watch_plan plan({}, start);
    plan.stream_asked();
    plan.stream_not_offered(start + 1s);
    EXPECT_TRUE(plan.polls());
    EXPECT_EQ(open_at(plan), at());
    EXPECT_EQ(read_at(plan), at(1s));
}

TEST(cyberun_watch, refused_streams_do_not_keep_the_task_from_being_read) {
    watch_plan plan({}, start);
    std::size_t reads = 0;
    for (auto now = 0ms; now < 10min; now += 100ms) {
        const watch_step step = plan.next(start + now);
        if (step.open_at <= start + now && step.open_at) {
            plan.stream_asked();
            plan.stream_refused(refused(refusal::service), start + now, no_jitter);
        }
        if (step.read_at <= start + now && step.read_at) {
            read_now(plan, now, task_in(task_state::running));
            ++reads;
        }
    }
    EXPECT_EQ(reads, 19u) << "every 30 s";
}

TEST(cyberun_watch, what_follows_a_failed_read) {
    struct row {
        refusal what;
        std::optional<std::chrono::seconds> asked;
        at accepted;
        step_kind kind;
        at read;
    };
    for (const row& r : {
             row{refusal::key, {}, {}, step_kind::failed, {}},
             row{refusal::forbidden, {}, {}, step_kind::failed, {}},
             row{refusal::request, {}, {}, step_kind::failed, {}},
             row{refusal::unknown, {}, {}, step_kind::failed, {}},
             row{refusal::unknown, {}, -10s, step_kind::failed, {}},
             row{refusal::unknown, {}, 0s, step_kind::act, 3s},
             row{refusal::rate, 9s, {}, step_kind::act, 11s},
             row{refusal::service, {}, {}, step_kind::act, 7s},
             row{refusal::unreached, {}, {}, step_kind::act, 7s},
         }) {
        watch_options options;
        if (r.accepted) {
            options.accepted_at = start + *r.accepted;
        }
        watch_plan plan = opened(options);
        plan.event_read(event_of(event_kind::completed, task_state::completed), start + 2s);
        plan.read_asked(start + 2s);
        plan.read_failed(refused(r.what, r.asked), start + 2s, no_jitter);
        EXPECT_EQ(plan.next(start + 2s).what, r.kind) << static_cast<int>(r.what);
        EXPECT_EQ(read_at(plan), r.read) << static_cast<int>(r.what);
        plan.event_read(event_of(event_kind::completed, task_state::completed), start + 3s);
        EXPECT_EQ(read_at(plan), r.read) << "events do not shorten the pause";
        plan.stream_ended({}, start + 3s, no_jitter);
        EXPECT_EQ(read_at(plan), r.read) << "nor does the end of the stream";
        if (r.what == refusal::rate) {
            EXPECT_EQ(open_at(plan), at(11s)) << "a 429 stops both";
        }
    }
}

TEST(cyberun_watch, pauses_double_until_a_read_succeeds) {
    watch_options options;
    options.use_stream = false;
    watch_plan plan(options, start);
    monotonic_clock::duration now = 0s;
    for (const auto pause : {5s, 10s, 20s, 40s, 60s, 60s}) {
        plan.read_asked(start + now);
        plan.read_failed(refused(refusal::unreached), start + now, no_jitter);
        EXPECT_EQ(read_at(plan), at(now + pause));
        now += pause;
    }
    read_now(plan, now, task_in(task_state::running));
    plan.read_asked(start + now);
    plan.read_failed(refused(refusal::unreached), start + now, no_jitter);
    EXPECT_EQ(read_at(plan), at(now + 5s));
    error broken(errc::network, "certificate");
    broken.lasting = true;
    plan.read_asked(start + now);
    plan.read_failed(unreached(broken), start + now, no_jitter);
    EXPECT_EQ(plan.next(start + now).failure->message, "certificate");
}

TEST(cyberun_watch, a_reason_that_comes_during_a_read_asks_for_another) {
    watch_plan plan = opened();
    plan.event_read(event_of(event_kind::completed, task_state::completed), start + 1s);
    plan.read_asked(start + 1s);
    plan.stream_ended({}, start + 2s, no_jitter);
    EXPECT_EQ(read_at(plan), at());
    watch_plan over = plan;
    over.task_read(task_in(task_state::completed), start + 3s, no_jitter);
    EXPECT_EQ(over.next(start + 3s).what, step_kind::finished);
    plan.task_read(task_in(task_state::running), start + 3s, no_jitter);
    EXPECT_EQ(read_at(plan), at(2s));
}

TEST(cyberun_watch, unknown_states_are_told_once_and_are_not_final) {
    watch_plan plan = opened();
    task seen;
    seen.state_text = "dreaming";
    EXPECT_TRUE(read_now(plan, 1s, seen).unknown_state);
    const watch_news again = read_now(plan, 2s, seen);
    EXPECT_FALSE(again.unknown_state);
    EXPECT_FALSE(again.changed);
    seen.state_text = "sleeping";
    EXPECT_FALSE(read_now(plan, 3s, seen).unknown_state);
    EXPECT_EQ(plan.next(start + 3s).what, step_kind::act);
    EXPECT_TRUE(read_now(plan, 4s, task_in(task_state::running)).changed);
}

TEST(cyberun_watch, the_deadline) {
    watch_options options;
    options.deadline = start + 20s;
    watch_plan plan = opened(options);
    EXPECT_EQ(plan.next(start + 19s).wake_at, start + 20s);
    EXPECT_EQ(plan.next(start + 20s).what, step_kind::give_up);
    read_now(plan, 21s, task_in(task_state::cancelled));
    EXPECT_EQ(plan.next(start + 21s).what, step_kind::finished) << "what is known is not given up";
    EXPECT_EQ(plan.next(start + 21s).state, task_state::cancelled);
}

}  // namespace
}  // namespace vembed::cyberun
