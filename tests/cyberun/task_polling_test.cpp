// Many tasks that are polled share pages of the list of tasks; the task itself tells its end.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cyberun/client_world.hpp"
#include "cyberun/watch/list_round.hpp"
#include "cyberun/wire/assumptions.hpp"

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using verdict = list_round::verdict;

task shown(std::string id, std::string state) {
    task made;
    made.id = std::move(id);
    made.state = task_state_of(state);
    made.state_text = std::move(state);
    return made;
}

task_page page_of(std::vector<task> tasks, std::uint64_t current = 1, std::uint64_t total = 1) {
    task_page made;
    made.meta.current_page = current;
    made.meta.per_page = 100;
    made.meta.total_count = total;
    made.tasks = std::move(tasks);
    return made;
}

TEST(cyberun_list_round, each_state_of_several_tasks_is_asked_for) {
    list_round subject(std::vector<polled_task>{
        {"a", "running"}, {"b", "running"}, {"c", "queued"}, {"d", "queued"}, {"e", "pending"}});
    ASSERT_TRUE(subject.next());
    EXPECT_EQ(subject.next()->status, "running");
    EXPECT_EQ(subject.next()->per_page, 100u);
    subject.page_read(page_of({shown("a", "running"), shown("x", "running"), shown("c", "running")}));
    // Only one is left that the list of `queued` may show, so it is not worth a page.
    EXPECT_FALSE(subject.next());
    EXPECT_EQ(subject.of("a"), verdict::shown);
    EXPECT_EQ(subject.entry("a").state, task_state::running);
    EXPECT_EQ(subject.of("b"), verdict::gone);
    EXPECT_EQ(subject.of("c"), verdict::shown);
    EXPECT_EQ(subject.entry("c").state, task_state::running);
    EXPECT_EQ(subject.of("d"), verdict::unsure);
    EXPECT_EQ(subject.of("e"), verdict::unsure);
    EXPECT_EQ(subject.of("unknown"), verdict::unsure);
    EXPECT_EQ(subject.spared(), 1);
}

TEST(cyberun_list_round, an_end_that_a_list_shows_is_no_end) {
    list_round subject(std::vector<polled_task>{{"a", "running"}, {"b", "running"}});
    subject.page_read(page_of({shown("a", "completed"), shown("b", "running")}));
    EXPECT_EQ(subject.of("a"), verdict::gone);
    EXPECT_EQ(subject.of("b"), verdict::shown);
}

TEST(cyberun_list_round, pages_are_read_while_they_may_spare_more_than_they_cost) {
    std::vector<polled_task> tasks;
    for (int i = 0; i < 6; ++i) {
        tasks.emplace_back(std::to_string(i), "running");
    }
    list_round subject(tasks);
    for (std::uint64_t page = 1; page <= 3; ++page) {
        ASSERT_TRUE(subject.next()) << page;
        EXPECT_EQ(subject.next()->current_page, page);
        subject.page_read(page_of({shown("other", "running")}, page, 100'000));
    }
    EXPECT_FALSE(subject.next());
    // The list goes on, so it may still show them.
    EXPECT_EQ(subject.of("0"), verdict::unsure);
    EXPECT_EQ(subject.spared(), -3);
}

TEST(cyberun_list_round, one_task_or_an_unknown_state_is_no_reason_for_a_list) {
    using tasks = std::vector<polled_task>;
    const std::vector<tasks> rows{{},
                                  {{"a", "running"}},
                                  {{"a", "running"}, {"a", "running"}},
                                  {{"a", "running"}, {"b", "queued"}},
                                  {{"a", "dreaming"}, {"b", "dreaming"}}};
    for (const tasks& each : rows) {
        EXPECT_FALSE(list_round(each).next());
    }
    EXPECT_TRUE(list_round(tasks{{"a", "Running"}, {"b", "Running"}}).next());
}

class many_world : public served_world {
public:
    explicit many_world(testing::cyberun_options served, std::uint64_t tasks, wait_options how)
        : served_world(std::move(served)) {
        for (std::uint64_t i = 0; i < tasks; ++i) {
            ids.push_back(world.run(subject->run("text-render", text_parameters())).value().task_id);
        }
        before = service->counters();
        for (const std::string& id : ids) {
            waits.push_back(world.begin<result<task>>(subject->wait_task(id, how, within(2000s))));
        }
    }

    std::uint64_t reads() const { return service->counters().task_reads - before.task_reads; }
    std::uint64_t lists() const { return service->counters().task_lists - before.task_lists; }

    std::vector<std::string> ids;
    std::vector<testing_support::begun<result<task>>> waits;
    testing::cyberun_counters before;
};

wait_options polled() {
    wait_options made;
    made.no_sse = true;
    return made;
}

testing::cyberun_options taking(std::chrono::seconds time) {
    testing::cyberun_options made;
    made.task_time_ms = static_cast<std::uint32_t>(time.count() * 1000);
    return made;
}

TEST(cyberun_task_polling, many_waits_share_the_pages_of_a_list) {
    many_world w(taking(200s), 150, polled());
    w.world.run_until(400s);
    for (auto& each : w.waits) {
        ASSERT_TRUE(each.ended());
        ASSERT_TRUE(each.value()) << each.value().error();
        EXPECT_EQ(each.value()->state, task_state::completed);
    }
    // By themselves 150 waits of 200 s would read some 15 times each. Each task is read when its wait begins, when its
    // state was left, and at its end.
    EXPECT_LE(w.reads(), 150u * 4);
    EXPECT_GT(w.lists(), 10u);
    EXPECT_LE(w.lists(), 160u);
}

TEST(cyberun_task_polling, one_wait_reads_its_task) {
    many_world w(taking(60s), 1, polled());
    w.world.run_until(100s);
    ASSERT_TRUE(w.waits[0].ended());
    EXPECT_TRUE(w.waits[0].value());
    EXPECT_EQ(w.lists(), 0u);
}

TEST(cyberun_task_polling, waits_whose_streams_were_given_up_share_too) {
    testing::cyberun_options served = taking(200s);
    served.faults.sse_refused = 1;
    many_world w(served, 40, wait_options());
    w.world.run_until(400s);
    for (auto& each : w.waits) {
        ASSERT_TRUE(each.ended());
        EXPECT_TRUE(each.value());
    }
    EXPECT_LE(w.reads(), 40u * 4);
    EXPECT_GT(w.lists(), 10u);
}

TEST(cyberun_task_polling, beyond_a_number_of_streams_waits_poll) {
    many_world w(taking(60s), assumed::streams_max + 10, wait_options());
    w.world.run_until(1s);
    EXPECT_EQ(w.service->counters().streams_opened, assumed::streams_max);
    w.world.run_until(200s);
    for (auto& each : w.waits) {
        ASSERT_TRUE(each.ended());
        EXPECT_TRUE(each.value());
    }
    EXPECT_GT(w.lists(), 0u);
    // Those that ended have given their streams back.
    const auto accepted = w.world.run(w.subject->run("text-render", text_parameters()));
    const std::uint64_t streams = w.service->counters().streams_opened;
    EXPECT_TRUE(w.world.run(w.subject->wait_task(accepted->task_id)));
    EXPECT_EQ(w.service->counters().streams_opened, streams + 1);
}

// The leader of a round goes away at any moment, and the others go on.
TEST(cyberun_task_polling, a_wait_that_is_cancelled_leaves_the_others_as_they_are) {
    testing::cyberun_options served = taking(100s);
    many_world w(served, 30, polled());
    for (std::size_t i = 0; i < 20; ++i) {
        w.world.run_until(3s + i * 1500ms);
        for (std::size_t step = 0; step < i; ++step) {
            (void)w.world.context.poll_one();
        }
        w.waits[i].cancel();
    }
    w.world.run_until(300s);
    for (std::size_t i = 0; i < w.waits.size(); ++i) {
        ASSERT_TRUE(w.waits[i].ended()) << i;
        EXPECT_EQ(static_cast<bool>(w.waits[i].value()), i >= 20) << i;
    }
}

// Two tasks of a script. `list` is how the list answers.
void expect_list(scripted_world& w, int status, const std::string& body) {
    w.server->expect_get("/api/v1/r/tasks?current_page=1&per_page=100&status=running").respond(status, body);
}

void expect_task(scripted_world& w, const std::string& id, const std::string& state) {
    w.server->expect_get("/api/v1/r/tasks/" + id).respond(200, state_of(id, state));
}

TEST(cyberun_task_polling, what_the_list_does_not_tell_the_tasks_tell) {
    scripted_world w;
    expect_task(w, "a", "running");
    expect_task(w, "b", "running");
    expect_list(w, 200, R"({"task_list":[)" + state_of("a", "running") + "," + state_of("b", "completed") + "]}");
    expect_task(w, "b", "completed");  // The list's word alone is not enough.
    expect_task(w, "a", "completed");  // Alone again.
    auto a = w.world.begin<result<task>>(w.subject().wait_task("a", polled(), within(500s)));
    auto b = w.world.begin<result<task>>(w.subject().wait_task("b", polled(), within(500s)));
    w.world.run_until(60s);
    ASSERT_TRUE(a.ended() && b.ended());
    EXPECT_TRUE(a.value()) << a.value().error();
    EXPECT_TRUE(b.value()) << b.value().error();
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_task_polling, a_service_without_the_list_is_asked_for_each_task) {
    for (const int status : {404, 405, 403, 400, 200}) {
        scripted_world w;
        expect_task(w, "a", "running");
        expect_task(w, "b", "running");
        expect_list(w, status, status == 200 ? "<html>" : R"({"error":"no"})");
        // Which of both is due first follows from the world's seed.
        expect_task(w, "a", "completed");
        expect_task(w, "b", "completed");
        auto a = w.world.begin<result<task>>(w.subject().wait_task("a", polled(), within(500s)));
        auto b = w.world.begin<result<task>>(w.subject().wait_task("b", polled(), within(500s)));
        w.world.run_until(10s);
        ASSERT_TRUE(a.ended() && b.ended()) << status;
        EXPECT_TRUE(a.value() && b.value()) << status;
        EXPECT_TRUE(w.server->finished()) << status;
    }
}

TEST(cyberun_task_polling, a_refused_key_ends_whoever_asks) {
    scripted_world w;
    expect_task(w, "a", "running");
    expect_task(w, "b", "running");
    expect_list(w, 401, R"({"error":"revoked"})");
    w.server->expect_get("/api/v1/r/tasks/b").respond(401, R"({"error":"revoked"})");
    auto a = w.world.begin<result<task>>(w.subject().wait_task("a", polled(), within(500s)));
    auto b = w.world.begin<result<task>>(w.subject().wait_task("b", polled(), within(500s)));
    w.world.run_until(10s);
    ASSERT_TRUE(a.ended() && b.ended());
    EXPECT_EQ(a.value().error().kind, errc::unauthorized);
    EXPECT_EQ(b.value().error().kind, errc::unauthorized);
    EXPECT_TRUE(w.server->finished());
}

TEST(cyberun_task_polling, bad_weather_ends_in_the_right_outcome) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        testing::cyberun_options served = taking(60s);
        served.seed = seed;
        served.faults =
            testing::cyberun_faults::parse("bad_gateway=0.1,internal_error=0.1,rate_limited=0.1,goes_back=0.3").value();
        served_world w(served);
        std::vector<testing_support::begun<result<task>>> waits;
        for (int i = 0; i < 12; ++i) {
            const auto made = w.world.run(w.subject->run("text-render", text_parameters()));
            if (made) {
                waits.push_back(w.world.begin<result<task>>(w.subject->wait_task(made->task_id, polled())));
            }
        }
        w.world.run_until(1000s);
        for (auto& each : waits) {
            ASSERT_TRUE(each.ended()) << seed;
            EXPECT_TRUE(each.value()) << seed << ' ' << each.value().error();
        }
    }
}

}  // namespace
}  // namespace vembed::cyberun
