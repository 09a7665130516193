#include "cyberun/io/task_waiting.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "core/thrown.hpp"
#include "cyberun/watch/events.hpp"
#include "cyberun/watch/watch_plan.hpp"
#include "cyberun/wire/assumptions.hpp"
#include "cyberun/wire/codec.hpp"
#include "runtime/task_group.hpp"
#include "sse/event_reader.hpp"

namespace vembed::cyberun {
namespace {

// A stream lasts as long as its task. The number is one that clocks can add.
constexpr std::chrono::hours stream_max{24 * 365};
constexpr std::uint64_t task_bytes_max = std::uint64_t{1} << 20;
// How long cancelling the task may take after the wait for it was given up.
constexpr std::chrono::seconds abort_max{10};

// One wait.
class watch final : public polled_watch {
public:
    std::shared_ptr<endpoints> api;
    std::shared_ptr<environment> env;
    std::shared_ptr<const wait_options> how;
    std::string id;
    monotonic_time deadline{};
    std::unique_ptr<timer> changed;  // Wakes the wait when a child reported something.
    watch_plan plan;
    std::optional<task> seen;
    std::optional<error> failure;  // Of a callback, or of a child.
    std::string last_breach;       // Of the contract, by the response to a read.
    bool asking = false;           // For a list that tells of the task.
    bool reading_itself = false;
    bool must_read_itself = false;
    monotonic_time read_itself_at{};

    watch(const watch_options& options, monotonic_time now) : plan(options, now) {}

    void take_event(const task_event& event);
    void take_task(task read);
    void take_news(const watch_news& news, task read);

    [[nodiscard]] std::optional<polled_task> shareable() const override;
    [[nodiscard]] bool asks() const noexcept override { return asking; }
    void listed(const task& entry) override;
    void not_listed(bool changed_state) override;
    void list_failed(const mapped_refusal& why) override;
};

void watch::take_event(const task_event& event) {
    plan.event_read(event, env->now());
    if (how->on_event && !failure) {
        try {
            how->on_event(event);
        } catch (...) {
            failure = thrown_failure("the callback for events");
        }
    }
    changed->wake();
}

void watch::take_task(task read) {
    last_breach.clear();
    must_read_itself = false;
    read_itself_at = env->now();
    const watch_news news = plan.task_read(read, env->now(), env->random());
    take_news(news, std::move(read));
}

void watch::take_news(const watch_news& news, task read) {
    if (news.unknown_state) {
        env->log(log_level::warning, "unknown_task_state",
                 {log_field("task", id), log_field("state", read.state_text.substr(0, 64))});
    }
    seen = std::move(read);
    if (news.changed && how->on_task && !failure) {
        try {
            how->on_task(*seen);
        } catch (...) {
            failure = thrown_failure("the callback for states");
        }
    }
}

std::optional<polled_task> watch::shareable() const {
    const bool is_old = env->now() - read_itself_at >= assumed::read_distance_max;
    if (!plan.polls() || !seen || is_terminal(seen->state) || reading_itself || must_read_itself || is_old || failure) {
        return std::nullopt;
    }
    return polled_task(id, seen->state_text);
}

void watch::listed(const task& entry) {
    asking = false;
    take_news(plan.task_listed(entry, env->now(), env->random()), entry);
    changed->wake();
}

void watch::not_listed(bool changed_state) {
    if (changed_state) {
        plan.state_left(env->now());
    }
    must_read_itself = must_read_itself || changed_state || asking;
    changed->wake();
}

void watch::list_failed(const mapped_refusal& why) {
    asking = false;
    plan.read_failed(why, env->now(), env->random());
    changed->wake();
}

// Feeds what it gets to a reader of events. A response that is no stream ends with an error.
class event_sink final : public response_sink {
public:
    explicit event_sink(watch* of) : watch_(of) {}

    result<void> begin(const response_head& head) override {
        if (judge_stream(head.status, head.find("Content-Type").value_or("")) != stream_answer::opened) {
            return error(errc::protocol, "the service answered with something else than a stream of events");
        }
        opened_ = true;
        watch_->plan.stream_opened(watch_->env->now());
        watch_->changed->wake();
        return {};
    }

    std::span<std::byte> prepare(std::size_t at_most) override {
        return std::span(room_).first(std::min(at_most, room_.size()));
    }

    result<void> commit(std::size_t size) override {
        const std::uint64_t comments = reader_.comments();
        std::vector<sse::event> events;
        result<void> fed = reader_.feed(std::string_view(reinterpret_cast<const char*>(room_.data()), size), events);
        if (reader_.comments() != comments) {
            watch_->plan.comment_read(watch_->env->now());
        }
        for (const sse::event& one : events) {
            watch_->take_event(read_event(one));
        }
        return fed;
    }

    [[nodiscard]] bool opened() const noexcept { return opened_; }
    [[nodiscard]] const sse::event_reader& reader() const noexcept { return reader_; }

private:
    watch* watch_;
    sse::event_reader reader_;
    std::array<std::byte, 16 * 1024> room_{};
    bool opened_ = false;
};

asio::awaitable<void> follow_stream(watch* of, std::string* last_event_id) {
    auto sink = std::make_unique<event_sink>(of);
    http::call what;
    what.target = *task_target(of->id, below::events);
    what.deadline = of->deadline;
    what.try_timeout = stream_max;
    what.sink = sink.get();
    what.headers.emplace_back("Accept", "text/event-stream");
    what.headers.emplace_back("Cache-Control", "no-store");
    if (!last_event_id->empty()) {
        what.headers.emplace_back("Last-Event-ID", *last_event_id);
    }
    const http::read_result got = co_await of->api->read_once(std::move(what));
    const monotonic_time now = of->env->now();
    const std::uint64_t bits = of->env->random();
    if (sink->opened()) {
        *last_event_id = sink->reader().last_event_id();
        of->plan.stream_ended(sink->reader().retry(), now, bits);
    } else if (got.got.head.status == 0) {
        of->plan.stream_refused(unreached(got.error.value_or(error(errc::network, "no response came"))), now, bits);
    } else if (judge_stream(got.got.head.status, got.got.head.find("Content-Type").value_or("")) ==
               stream_answer::refused) {
        of->plan.stream_refused(of->api->refusal_in(got, subject::task), now, bits);
    } else {
        of->env->log(log_level::info, "stream_not_offered", {log_field("task", of->id)});
        of->plan.stream_not_offered(now);
    }
}

// What a response says that is 2xx and no state of the task. The same twice was caused by the service, not on the way.
mapped_refusal unreadable(watch& of, const error& why) {
    mapped_refusal made;
    made.error = why;
    made.what = why.message == of.last_breach ? refusal::request : refusal::service;
    of.last_breach = why.message;
    return made;
}

asio::awaitable<void> read_itself(watch* of) {
    http::call what;
    what.target = *task_target(of->id);
    what.deadline = of->deadline;
    what.body_limit = task_bytes_max;
    const http::read_result got = co_await of->api->read_once(std::move(what));
    const monotonic_time now = of->env->now();
    const std::uint64_t bits = of->env->random();
    if (got.error) {
        of->plan.read_failed(of->api->refusal_in(got, subject::task), now, bits);
        co_return;
    }
    result<task> read = read_response<task>(got.got.body);
    if (read && !read->id.empty() && read->id != of->id) {
        read = error(errc::protocol, "the service answered with another task's state");
    }
    if (!read) {
        of->plan.read_failed(unreadable(*of, read.error()), now, bits);
        co_return;
    }
    read->id = of->id;
    of->take_task(std::move(*read));
}

// By a list of tasks if one can tell, else the task itself.
asio::awaitable<void> read_task(watch* of, task_polling* polling) {
    co_await polling->read(of, of->deadline);
    if (!std::exchange(of->asking, false)) {
        co_return;
    }
    of->reading_itself = true;
    co_await read_itself(of);
    of->reading_itself = false;
}

// Whatever a child throws ends the wait.
asio::awaitable<void> reporting(watch* of, asio::awaitable<void> child) {
    try {
        co_await std::move(child);
    } catch (...) {
        of->failure = thrown_failure("the wait");
    }
    of->changed->wake();
}

// Carries out the plan. False if it was cancelled.
asio::awaitable<bool> carry_out(watch* of, runtime::task_group* group, std::string* last_event_id,
                                task_polling* polling) {
    for (;;) {
        const monotonic_time now = of->env->now();
        const watch_step step = of->plan.next(now);
        if (step.what != watch_step::kind::act || of->failure) {
            co_return true;
        }
        const bool opens = step.open_at && *step.open_at <= now;
        const bool reads = step.read_at && *step.read_at <= now;
        if (opens) {
            of->plan.stream_asked();
            group->spawn(reporting(of, follow_stream(of, last_event_id)));
        }
        if (reads) {
            of->plan.read_asked(now);
            of->asking = true;
            group->spawn(reporting(of, read_task(of, polling)));
        }
        if (opens || reads) {
            continue;
        }
        const wait_outcome waited = co_await of->changed->wait_until(step.wake_at);
        if (waited == wait_outcome::cancelled) {
            co_return false;
        }
    }
}

result<task> outcome_of(watch& of, bool undisturbed) {
    if (of.failure) {
        return with_job(*of.failure, of.id);
    }
    const watch_step last = of.plan.next(of.env->now());
    if (last.what == watch_step::kind::finished) {
        if (last.state == task_state::completed) {
            return std::move(*of.seen);
        }
        return outcome_error(last.state, of.seen->error_text, of.id);
    }
    if (!undisturbed) {
        return with_job(error(errc::cancelled, "the wait for the task was cancelled"), of.id);
    }
    if (last.what == watch_step::kind::failed) {
        return with_job(*last.failure, of.id);
    }
    return with_job(error(errc::timeout, "the deadline passed before the task ended"), of.id);
}

// Cancels the task after the wait for it was given up, and says in the error what became of that.
asio::awaitable<error> abort_task(watch* of, error why) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const monotonic_time until = deadline_after(of->env->now(), abort_max);
    const result<void> asked = co_await of->api->ask_to_cancel(of->id, until);
    why.message +=
        asked ? "; the service was asked to cancel it"
              : "; the task may go on, because the service could not be asked to cancel it: " + asked.error().message;
    co_return why;
}

}  // namespace

// A wait by a stream, if there is one left.
class task_waiting::stream_place {
public:
    stream_place(task_waiting& of, bool wanted) : of_(wanted && of.streams_ < assumed::streams_max ? &of : nullptr) {
        if (of_ != nullptr) {
            ++of_->streams_;
        }
    }
    stream_place(const stream_place&) = delete;
    stream_place& operator=(const stream_place&) = delete;
    ~stream_place() {
        if (of_ != nullptr) {
            --of_->streams_;
        }
    }

    [[nodiscard]] bool taken() const noexcept { return of_ != nullptr; }

private:
    task_waiting* of_;
};

asio::awaitable<result<task>> task_waiting::wait(std::string id, std::shared_ptr<const wait_options> how,
                                                 monotonic_time deadline) {
    if (const result<std::string> usable = task_target(id); !usable) {
        co_return usable.error();
    }
    const std::shared_ptr<environment> env = api_->through()->env();
    watch_options options;
    const stream_place stream(*this, !how->no_sse);
    options.use_stream = stream.taken();
    options.deadline = deadline;
    options.accepted_at = api_->accepted_at(id);
    watch of(options, env->now());
    of.api = api_;
    of.env = env;
    of.how = std::move(how);
    of.id = std::move(id);
    of.deadline = deadline;
    of.changed = env->make_timer(executor_);
    std::string last_event_id;
    const task_polling::place place(polling_, of);
    runtime::task_group group(executor_, env);
    const bool carried_out = co_await carry_out(&of, &group, &last_event_id, &polling_);
    group.cancel();
    const bool joined = co_await group.join();
    result<task> outcome = outcome_of(of, carried_out && joined);
    if (outcome) {
        co_return outcome;
    }
    error why = outcome.error();
    const bool given_up = why.kind == errc::cancelled || why.kind == errc::timeout;
    if (!given_up || !of.how->cancel_on_abort) {
        why.message += given_up ? "; the task goes on" : "";
        co_return why;
    }
    co_return co_await abort_task(&of, std::move(why));
}

}  // namespace vembed::cyberun
