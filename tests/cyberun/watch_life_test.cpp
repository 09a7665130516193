// A task's life, told by a stream that is cut at every byte: the wait ends with the right state, and a cut costs at
// most two GETs more.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cyberun/watch/events.hpp"
#include "cyberun/watch/watch_plan.hpp"

namespace vembed::cyberun {
namespace {

using namespace std::chrono_literals;
using span = std::chrono::milliseconds;

constexpr monotonic_time birth{1000h};
constexpr span latency{20};

// What happens to the task at a time, and what an open stream says of it.
struct moment {
    span at;
    task_state state;
    std::string told;
};

struct life {
    const char* name;
    std::vector<moment> moments;
    bool tells_the_end = true;  // A stream of a task that has ended says so before it closes.
};

std::string line_ends(std::string text, std::string_view end) {
    std::string made;
    for (const char c : text) {
        made += c == '\n' ? std::string(end) : std::string(1, c);
    }
    return made;
}

life make_life(const char* name, std::string_view end, task_state last, std::string last_event) {
    const std::string progress = "event: progress\ndata: {\"progress\":";
    life made;
    made.name = name;
    made.moments = {
        {0ms, task_state::queued, ": hello\n\n"},
        {1500ms, task_state::running, "event: status\ndata: {\"task_id\":\"t\",\"status\":\"running\"}\n\n"},
        {3000ms, task_state::running, progress + "0.25,\ndata: \"message\":\"gr\xc3\xbc\xc3\x9f\"}\n\n"},
        {4000ms, task_state::running, ": ping\n"},
        {6000ms, task_state::running, progress + "0.5}\n\n" + progress + "0.75}\n\n"},
        {8000ms, last, std::move(last_event)},
    };
    for (moment& each : made.moments) {
        each.told = line_ends(each.told, end);
    }
    return made;
}

struct outcome {
    task_state state = task_state::unknown;
    span finished{0};
    std::size_t reads = 0;
    std::size_t streams = 0;
    std::size_t bytes = 0;  // Of the first stream.
};

// The service and the client, in virtual time. `cuts[i]` is how many bytes the i-th stream carries.
class world {
public:
    world(const life& of, std::vector<std::size_t> cuts) : of_(of), cuts_(std::move(cuts)) {}

    outcome run() {
        for (; now_ < 2min; now_ = next_time()) {
            deliver();
            const watch_step step = plan_.next(birth + now_);
            if (step.what != watch_step::kind::act) {
                made_.state = step.state;
                made_.finished = now_;
                return made_;
            }
            act(step);
        }
        return made_;
    }

private:
    [[nodiscard]] span next_time() const {
        span next = std::chrono::ceil<span>(std::min(plan_.next(birth + now_).wake_at, birth + 2min) - birth);
        const auto consider = [&](span at) { next = at > now_ ? std::min(next, at) : next; };
        consider(opens_at_);
        consider(read_at_);
        for (const moment& each : of_.moments) {
            consider(each.at);
        }
        return std::max(next, now_ + 1ms);
    }

    [[nodiscard]] task_state state_at(span when) const {
        task_state state = task_state::pending;
        for (const moment& each : of_.moments) {
            state = each.at <= when ? each.state : state;
        }
        return state;
    }

    void act(const watch_step& step) {
        if (step.open_at && *step.open_at <= birth + now_) {
            plan_.stream_asked();
            opens_at_ = now_ + latency;
        }
        if (step.read_at && *step.read_at <= birth + now_) {
            plan_.read_asked(birth + now_);
            read_at_ = now_ + latency;
            ++made_.reads;
        }
    }

    void deliver() {
        if (read_at_ == now_) {
            task seen;
            seen.state = state_at(now_ - latency / 2);
            seen.state_text = std::string(to_string(seen.state));
            plan_.task_read(seen, birth + now_, ++bits_);
        }
        if (opens_at_ == now_) {
            plan_.stream_opened(birth + now_);
            reader_.restart();
            open_ = true;
            left_ = made_.streams < cuts_.size() ? cuts_[made_.streams] : std::string::npos;
            ++made_.streams;
            if (is_terminal(state_at(now_ - 1ms)) && of_.tells_the_end) {
                say(of_.moments.back().told);
            }
        }
        for (const moment& each : of_.moments) {
            if (open_ && each.at == now_) {
                say(each.told);
            }
        }
        if (open_ && is_terminal(state_at(now_))) {
            end();
        }
    }

    void say(std::string_view bytes) {
        made_.bytes += made_.streams == 1 ? bytes.size() : 0;
        const bool is_cut = bytes.size() > left_;
        bytes = bytes.substr(0, left_);
        left_ -= left_ == std::string::npos ? 0 : bytes.size();
        const std::uint64_t comments = reader_.comments();
        std::vector<sse::event> events;
        ASSERT_TRUE(reader_.feed(bytes, events));
        if (reader_.comments() > comments) {
            plan_.comment_read(birth + now_);
        }
        for (const sse::event& each : events) {
            plan_.event_read(read_event(each), birth + now_);
        }
        if (is_cut) {
            end();
        }
    }

    void end() {
        open_ = false;
        plan_.stream_ended(reader_.retry(), birth + now_, ++bits_);
    }

    const life& of_;
    std::vector<std::size_t> cuts_;
    watch_plan plan_{watch_options(), birth};
    sse::event_reader reader_;
    outcome made_;
    span now_{0};
    span opens_at_{-1};
    span read_at_{-1};
    bool open_ = false;
    std::size_t left_ = std::string::npos;
    std::uint64_t bits_ = 0;
};

std::vector<life> lives() {
    const std::string done = "event: completed\ndata: {\"output\":{}}\n\n";
    const std::string failed = "event: failed\ndata: {\"error\":\"e\"}\n\n";
    std::vector<life> all{
        make_life("lf", "\n", task_state::completed, done),
        make_life("crlf", "\r\n", task_state::failed, failed),
        make_life("cr", "\r", task_state::completed, done),
        make_life("bare end", "\n", task_state::cancelled, "event: cancelled\n\n"),
        make_life("silent end", "\n", task_state::completed, ""),
        make_life("bad json at the end", "\n", task_state::completed, "event: completed\ndata: {\n\n"),
        make_life("unnamed end", "\n", task_state::failed, "data: {\"status\":\"failed\"}\n\n"),
    };
    all.push_back(all.front());
    all.back().name = "a late stream closes without a word";
    all.back().tells_the_end = false;
    return all;
}

TEST(cyberun_watch_life, uncut) {
    for (const life& each : lives()) {
        const outcome made = world(each, {}).run();
        EXPECT_EQ(made.state, each.moments.back().state) << each.name;
        EXPECT_LE(made.reads, 2u) << each.name;
        EXPECT_EQ(made.streams, 1u) << each.name;
        EXPECT_LE(made.finished, each.moments.back().at + 3s) << each.name;
    }
}

TEST(cyberun_watch_life, cut_at_every_byte) {
    for (const life& each : lives()) {
        const outcome whole = world(each, {}).run();
        ASSERT_GT(whole.bytes, 100u);
        for (std::size_t cut = 0; cut <= whole.bytes; ++cut) {
            const outcome made = world(each, {cut}).run();
            EXPECT_EQ(made.state, each.moments.back().state) << each.name << " cut at " << cut;
            EXPECT_LE(made.reads, whole.reads + 2) << each.name << " cut at " << cut;
            EXPECT_LE(made.finished, each.moments.back().at + 3s) << each.name << " cut at " << cut;
        }
    }
}

TEST(cyberun_watch_life, cut_more_than_once) {
    for (const life& each : lives()) {
        const outcome whole = world(each, {}).run();
        for (std::size_t first = 0; first <= whole.bytes; first += 13) {
            for (std::size_t second = 0; second <= 60; second += 7) {
                const outcome made = world(each, {first, second, second / 2}).run();
                EXPECT_EQ(made.state, each.moments.back().state) << each.name << first << ' ' << second;
                const std::size_t cuts = std::min<std::size_t>(made.streams, 3);
                EXPECT_LE(made.reads, whole.reads + 2 * cuts) << each.name << first << ' ' << second;
                EXPECT_LE(made.finished, each.moments.back().at + 16s) << each.name << first << ' ' << second;
            }
        }
    }
}

}  // namespace
}  // namespace vembed::cyberun
