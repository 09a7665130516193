// The events of a task as a stream: in order, to its end, for a slow consumer, cancelled at every moment.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include "cyberun/client_world.hpp"
#include "cyberun/watch/event_buffer.hpp"

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using next_event = result<std::optional<task_event>>;

task_event event_of(event_kind kind, std::string text = {}) {
    task_event made;
    made.kind = kind;
    made.text = std::move(text);
    return made;
}

TEST(cyberun_event_buffer, events_come_out_as_they_went_in) {
    event_buffer subject;
    EXPECT_FALSE(subject.pop());
    subject.push(event_of(event_kind::progress, "a"));
    subject.push(event_of(event_kind::status, "b"));
    std::optional<task_event> first = subject.pop();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->text, "a");
    subject.put_back(std::move(*first));
    EXPECT_EQ(subject.pop()->text, "a");
    EXPECT_EQ(subject.pop()->text, "b");
    EXPECT_FALSE(subject.pop());
}

TEST(cyberun_event_buffer, the_oldest_progress_is_dropped_first_and_counted) {
    event_buffer subject;
    subject.push(event_of(event_kind::status, "first"));
    for (std::size_t i = 0; i < event_buffer::events_max + 9; ++i) {
        subject.push(event_of(event_kind::progress, std::to_string(i)));
    }
    EXPECT_EQ(subject.size(), event_buffer::events_max);
    const auto first = subject.pop();
    EXPECT_EQ(first->text, "first");
    EXPECT_EQ(first->missed_before, 0u);
    const auto second = subject.pop();
    EXPECT_EQ(second->text, "10");
    EXPECT_EQ(second->missed_before, 10u);
    EXPECT_EQ(subject.pop()->missed_before, 0u);
}

TEST(cyberun_event_buffer, without_progress_the_oldest_is_dropped) {
    event_buffer subject;
    for (std::size_t i = 0; i <= event_buffer::events_max; ++i) {
        subject.push(event_of(event_kind::status, std::to_string(i)));
    }
    const auto first = subject.pop();
    EXPECT_EQ(first->text, "1");
    EXPECT_EQ(first->missed_before, 1u);
}

TEST(cyberun_event_buffer, memory_is_bounded_and_the_newest_kept) {
    event_buffer subject;
    const auto large = [](std::size_t bytes) {
        task_event made = event_of(event_kind::progress);
        boost::json::object data;
        data["text"] = boost::json::array{std::string(bytes, 'x')};
        made.raw = std::move(data);
        return made;
    };
    for (int i = 0; i < 9; ++i) {
        subject.push(large(event_buffer::bytes_max / 4));
    }
    EXPECT_EQ(subject.size(), 3u);
    subject.push(large(event_buffer::bytes_max * 2));
    ASSERT_EQ(subject.size(), 1u);
    EXPECT_EQ(subject.pop()->missed_before, 9u);
    subject.push(event_of(event_kind::progress));
    EXPECT_EQ(subject.size(), 1u);
}

// What a user writes.
asio::awaitable<result<task>> follow(client* subject, std::string id, wait_options how, std::vector<task_event>* seen) {
    task_watch watch = subject->watch_task(std::move(id), std::move(how));
    for (;;) {
        next_event event = co_await watch.next();
        if (!event) {
            co_return event.error();
        }
        if (!*event) {
            break;
        }
        seen->push_back(std::move(**event));
    }
    co_return co_await watch.get_end();
}

class watched_world : public served_world {
public:
    explicit watched_world(std::chrono::milliseconds task_time = 20s, std::uint64_t steps = 4, double failed = 0)
        : served_world(chosen(task_time, steps, failed)),
          id(world.run(subject->run("text-render", text_parameters())).value().task_id) {}

    const std::string id;

private:
    static testing::cyberun_options chosen(std::chrono::milliseconds task_time, std::uint64_t steps, double failed) {
        testing::cyberun_options made;
        made.task_time_ms = static_cast<std::uint64_t>(task_time.count());
        made.progress_steps = steps;
        made.faults.failed = failed;
        return made;
    }
};

TEST(cyberun_task_watch, events_come_in_order_and_then_the_end) {
    watched_world w;
    std::vector<task_event> seen;
    int told = 0;
    wait_options how;
    how.on_event = [&told](const task_event&) { ++told; };
    const result<task> ended = w.world.run(follow(w.subject.get(), w.id, how, &seen));
    ASSERT_TRUE(ended) << ended.error();
    EXPECT_EQ(ended->state, task_state::completed);
    std::vector<double> progress;
    int streamed = 0;
    for (const task_event& each : seen) {
        streamed += each.kind == event_kind::task_changed ? 0 : 1;
        if (each.kind == event_kind::progress) {
            progress.push_back(each.progress.value_or(-1));
        }
        EXPECT_EQ(each.missed_before, 0u);
    }
    EXPECT_EQ(progress.size(), 4u);
    EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
    EXPECT_EQ(streamed, told);
    EXPECT_EQ(seen.back().kind, event_kind::task_changed);
    EXPECT_EQ(seen.back().state, task_state::completed);
}

TEST(cyberun_task_watch, a_task_that_is_polled_gives_its_changes) {
    watched_world w;
    std::vector<task_event> seen;
    wait_options how;
    how.no_sse = true;
    ASSERT_TRUE(w.world.run(follow(w.subject.get(), w.id, how, &seen)));
    ASSERT_GE(seen.size(), 2u);
    for (const task_event& each : seen) {
        EXPECT_EQ(each.kind, event_kind::task_changed);
    }
    EXPECT_EQ(seen.front().state_text, "pending");
    EXPECT_EQ(seen.back().state, task_state::completed);
}

TEST(cyberun_task_watch, the_end_of_a_failed_task_is_its_error) {
    watched_world w(20s, 4, 1);
    std::vector<task_event> seen;
    const result<task> ended = w.world.run(follow(w.subject.get(), w.id, {}, &seen));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, errc::job_failed);
    EXPECT_EQ(seen.back().state, task_state::failed);
}

TEST(cyberun_task_watch, an_id_that_is_none_ends_it_at_once) {
    watched_world w;
    task_watch watch = w.subject->watch_task("..");
    const next_event event = w.world.run<next_event>(watch.next());
    ASSERT_TRUE(event);
    EXPECT_FALSE(*event);
    EXPECT_EQ(w.world.run<result<task>>(watch.get_end()).error().kind, errc::invalid_argument);
}

TEST(cyberun_task_watch, a_slow_consumer_holds_up_nothing_and_learns_what_it_missed) {
    watched_world w(600s, 2000);
    std::uint64_t told = 0;
    wait_options how;
    how.on_event = [&told](const task_event&) { ++told; };
    how.on_task = [&told](const task&) { ++told; };
    task_watch watch = w.subject->watch_task(w.id, how);
    const result<task> ended = w.world.run<result<task>>(watch.get_end());
    ASSERT_TRUE(ended) << ended.error();
    EXPECT_GT(told, 2 * event_buffer::events_max);
    std::uint64_t missed = 0;
    std::size_t taken = 0;
    for (;;) {
        const next_event event = w.world.run<next_event>(watch.next());
        ASSERT_TRUE(event);
        if (!*event) {
            break;
        }
        ++taken;
        missed += (*event)->missed_before;
    }
    EXPECT_EQ(taken, event_buffer::events_max);
    EXPECT_EQ(taken + missed, told);
    EXPECT_EQ(w.world.run<result<task>>(watch.get_end())->id, w.id);
}

TEST(cyberun_task_watch, a_call_that_is_cancelled_or_late_takes_nothing) {
    watched_world w(20s, 4);
    task_watch watch = w.subject->watch_task(w.id);
    w.world.run_until(1s);
    std::vector<double> progress;
    int given_up = 0;
    for (int i = 0; i < 1000; ++i) {
        const bool by_time = i % 2 == 0;
        auto taking = w.world.begin<next_event>(watch.next(by_time ? within(30ms) : call_options()));
        w.world.run_until(w.world.elapsed() + 50ms);
        if (!taking.ended()) {
            taking.cancel();
            w.world.run_until(w.world.elapsed());
        }
        ASSERT_TRUE(taking.ended()) << i;
        if (!taking.value()) {
            const errc kind = taking.value().error().kind;
            EXPECT_EQ(kind, by_time ? errc::timeout : errc::cancelled) << i;
            ++given_up;
        } else if (!*taking.value()) {
            break;
        } else if ((*taking.value())->kind == event_kind::progress) {
            progress.push_back((*taking.value())->progress.value_or(-1));
        }
    }
    EXPECT_GT(given_up, 100);
    EXPECT_EQ(progress.size(), 4u);
    EXPECT_TRUE(w.world.run<result<task>>(watch.get_end()));
}

asio::awaitable<void> ring_after(std::shared_ptr<environment> env, std::chrono::milliseconds time) {
    co_await sleep_until(env, env->now() + time);
}

// Takes events beside a timer that rings at the very moments at which events come.
asio::awaitable<int> race(task_watch* watch, std::shared_ptr<environment> env, int* rung) {
    using namespace asio::experimental::awaitable_operators;
    int progress = 0;
    for (;;) {
        auto either = watch->next() || ring_after(env, 250ms);
        const auto first = co_await std::move(either);
        if (first.index() == 1) {
            ++*rung;
            continue;
        }
        const next_event& event = std::get<0>(first);
        if (!event || !*event) {
            co_return progress;
        }
        progress += (*event)->kind == event_kind::progress ? 1 : 0;
    }
}

TEST(cyberun_task_watch, no_event_is_lost_to_a_timer_that_rings_at_the_same_moment) {
    watched_world w(20s, 80);  // An event each 250 ms.
    task_watch watch = w.subject->watch_task(w.id);
    int rung = 0;
    EXPECT_EQ(w.world.run(race(&watch, w.world.env, &rung)), 80);
    EXPECT_GT(rung, 0);
}

// A call from another executor is cancelled after each number of handlers between its start and its end: also when an
// event is on its way there.
TEST(cyberun_task_watch, no_event_is_lost_to_a_cancellation_at_any_step) {
    int kept = 0;
    for (int steps = 0; steps < 12; ++steps) {
        watched_world w(20s, 4);
        std::uint64_t told = 0;
        wait_options how;
        how.on_event = [&told](const task_event&) { ++told; };
        how.on_task = [&told](const task&) { ++told; };
        task_watch watch = w.subject->watch_task(w.id, how);
        w.world.run_until(30s);
        const auto elsewhere = asio::make_strand(w.world.context);
        std::uint64_t taken = 0;
        for (bool cancels = true, ended = false; !ended; cancels = !cancels) {
            asio::cancellation_signal signal;
            std::optional<next_event> got;
            auto take = [&got](next_event event) { got = std::move(event); };
            watch.next().start(
                asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(elsewhere, std::move(take))));
            for (int i = 0; cancels && i < steps; ++i) {
                (void)w.world.context.poll_one();
            }
            if (cancels) {
                signal.emit(asio::cancellation_type::terminal);
            }
            w.world.run_until(w.world.elapsed());
            ASSERT_TRUE(got);
            if (*got) {
                ended = !**got;
                taken += ended ? 0 : 1;
            } else {
                EXPECT_EQ(got->error().kind, errc::cancelled);
                kept += got->error().message.find("is kept") != std::string::npos ? 1 : 0;
            }
        }
        EXPECT_EQ(taken, told) << steps;
    }
    EXPECT_GT(kept, 0);
}

TEST(cyberun_task_watch, destroying_or_cancelling_it_ends_the_wait) {
    for (int way = 0; way < 3; ++way) {
        watched_world w(600s);
        std::stop_source stop;
        call_options call;
        call.stop = stop.get_token();
        wait_options how;
        how.cancel_on_abort = true;
        std::optional<task_watch> watch = w.subject->watch_task(w.id, how, call);
        w.world.run_until(30s);
        if (way == 0) {
            watch.reset();
        } else if (way == 1) {
            watch->cancel();
        } else {
            stop.request_stop();
        }
        w.world.run_until(31s);
        EXPECT_EQ(w.world.run<result<task>>(w.subject->get_task(w.id))->state, task_state::cancelled) << way;
        if (watch) {
            EXPECT_TRUE(*w.world.run<next_event>(watch->next())) << way;
            EXPECT_EQ(w.world.run<result<task>>(watch->get_end()).error().kind, errc::cancelled) << way;
        }
    }
}

TEST(cyberun_task_watch, it_outlives_its_client_and_its_calls_outlive_it) {
    watched_world w(600s);
    std::optional<task_watch> watch = w.subject->watch_task(w.id);
    w.world.run_until(20s);
    std::vector<testing_support::begun<next_event>> calls;
    for (int i = 0; i < 4; ++i) {
        calls.push_back(w.world.begin<next_event>(watch->next()));
    }
    auto end = w.world.begin<result<task>>(watch->get_end());
    std::optional<task_watch> moved = std::move(*watch);
    watch.reset();
    w.world.run_until(21s);
    w.subject.reset();
    w.world.run_until(22s);
    for (auto& each : calls) {
        EXPECT_TRUE(each.ended());
    }
    ASSERT_TRUE(end.ended());
    EXPECT_EQ(end.value().error().kind, errc::cancelled);
    EXPECT_EQ(w.world.run<next_event>(moved->next()).error().kind, errc::cancelled);
}

TEST(cyberun_task_watch, another_takes_its_place) {
    watched_world w(600s);
    task_watch watch = w.subject->watch_task(w.id);
    w.world.run_until(10s);
    auto end = w.world.begin<result<task>>(watch.get_end());
    watch = w.subject->watch_task(w.id);
    w.world.run_until(11s);
    ASSERT_TRUE(end.ended());
    EXPECT_EQ(end.value().error().kind, errc::cancelled);
    EXPECT_TRUE(*w.world.run<next_event>(watch.next()));
}

TEST(cyberun_task_watch, other_completion_tokens_take_events_too) {
    watched_world w;
    task_watch watch = w.subject->watch_task(w.id);
    std::future<next_event> first = watch.next().start(asio::use_future);
    std::optional<next_event> second;
    watch.next().start([&second](next_event got) { second = std::move(got); });
    w.world.run_until(30s);
    EXPECT_TRUE(*first.get());
    ASSERT_TRUE(second);
    EXPECT_TRUE(**second);
    const auto again = watch.next();
    std::vector<next_event> results;
    again.start([&results](next_event got) { results.push_back(std::move(got)); });
    again.start([&results](next_event got) { results.push_back(std::move(got)); });
    w.world.run_until(31s);
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(static_cast<bool>(results[0]) + static_cast<bool>(results[1]), 1);
}

}  // namespace
}  // namespace vembed::cyberun
