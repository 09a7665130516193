#include <vembed/cyberun/task_watch.hpp>

#include <functional>
#include <stop_token>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <vembed/cyberun/client.hpp>

#include "cyberun/client/client_core.hpp"
#include "cyberun/watch/event_buffer.hpp"
#include "operation/launch.hpp"
#include "runtime/wait_queue.hpp"

namespace vembed::cyberun {

using detail::client_core;
using next_event = std::optional<task_event>;

/// The wait and those who wait for its events. All but cancel() is used on the client's executor.
class task_watch::state {
public:
    explicit state(std::shared_ptr<client_core> of) : core(std::move(of)), changed_(core->executor, core->env) {}

    void push(task_event event) {
        events_.push(std::move(event));
        changed_.wake_all();
    }
    void put_back(task_event event) {
        events_.put_back(std::move(event));
        changed_.wake_all();
    }
    void end(result<task> how) {
        ended_ = std::move(how);
        changed_.wake_all();
    }

    // The wait ends with the caller's token as well.
    void follow(const std::stop_token& caller) {
        if (caller.stop_possible()) {
            followed_.emplace(caller, chain{cancellation});
        }
    }

    static asio::awaitable<result<next_event>> take(std::shared_ptr<state> self, monotonic_time deadline) {
        runtime::wait_queue::place place(self->changed_);
        for (;;) {
            const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
            if (asked.cancelled() != asio::cancellation_type::none) {
                co_return error(errc::cancelled, "cancelled while waiting for the task's next event");
            }
            next_event found = self->events_.pop();
            if (found || self->ended_) {
                co_return found;
            }
            if (self->core->env->now() >= deadline) {
                co_return error(errc::timeout, "the deadline passed before the task's next event; the wait goes on");
            }
            (void)co_await place.wait_until(deadline);
        }
    }

    static asio::awaitable<result<task>> wait_for_end(std::shared_ptr<state> self, monotonic_time deadline) {
        runtime::wait_queue::place place(self->changed_);
        while (!self->ended_) {
            const wait_outcome waited = co_await place.wait_until(deadline);
            if (!self->ended_ && waited == wait_outcome::cancelled) {
                co_return error(errc::cancelled, "cancelled before the watched task ended; the wait goes on");
            }
            if (!self->ended_ && self->core->env->now() >= deadline) {
                co_return error(errc::timeout, "the deadline passed before the watched task ended; the wait goes on");
            }
        }
        co_return *self->ended_;
    }

    const std::shared_ptr<client_core> core;
    std::stop_source cancellation;

private:
    class chain {
    public:
        std::stop_source to;
        void operator()() { to.request_stop(); }
    };

    event_buffer events_;
    std::optional<result<task>> ended_;
    runtime::wait_queue changed_;
    std::optional<std::stop_callback<chain>> followed_;
};

namespace {

// One call of next() on its way to its handler. It is used on the handler's executor.
class delivery {
public:
    explicit delivery(vembed::detail::completion<next_event> to) : handler(std::move(to)) {}

    vembed::detail::completion<next_event> handler;
    asio::cancellation_signal signal;
    bool revoked = false;
};

// Puts an event back that was taken for a caller who was cancelled before it got there: only the handler's executor
// knows which of both came first.
class next_call final : public vembed::detail::description<next_event> {
public:
    next_call(std::shared_ptr<client_core> core, std::function<void(task_event)> put_back, operation<next_event> taking)
        : core_(std::move(core)), put_back_(std::move(put_back)), taking_(std::move(taking)) {}

    void start(vembed::detail::completion<next_event> handler) override {
        if (core_->in_forked_process()) {
            taking_.start(std::move(handler));  // It refuses, and nobody runs the client's executor.
            return;
        }
        const asio::any_completion_executor on = vembed::detail::executor_of(handler, core_->executor);
        const auto call = std::make_shared<delivery>(std::move(handler));
        asio::cancellation_slot slot = asio::get_associated_cancellation_slot(call->handler);
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr<delivery>(call)](asio::cancellation_type type) {
                const std::shared_ptr<delivery> alive = weak.lock();
                if (alive && (type & asio::cancellation_type::terminal) != asio::cancellation_type::none) {
                    alive->revoked = true;
                    alive->signal.emit(type);
                }
            });
        }
        auto deliver = [call, on_client = core_->executor, put_back = put_back_](result<next_event> got) {
            asio::cancellation_slot used = asio::get_associated_cancellation_slot(call->handler);
            if (used.is_connected()) {
                used.clear();
            }
            if (call->revoked && got && *got) {
                // It arrives there before any later call of next().
                asio::post(on_client, [put_back, event = std::move(**got)]() mutable { put_back(std::move(event)); });
                got = error(errc::cancelled, "cancelled while the task's next event was on its way; it is kept");
            }
            std::move(call->handler)(std::move(got));
        };
        taking_.start(asio::bind_cancellation_slot(call->signal.slot(), asio::bind_executor(on, std::move(deliver))));
    }

private:
    std::shared_ptr<client_core> core_;
    std::function<void(task_event)> put_back_;
    operation<next_event> taking_;
};

task_event changed_event(const task& seen) {
    task_event made;
    made.kind = event_kind::task_changed;
    made.state = seen.state;
    made.state_text = seen.state_text;
    made.text = seen.error_text;
    made.raw = seen.raw;
    return made;
}

}  // namespace

task_watch& task_watch::operator=(task_watch&& other) noexcept {
    task_watch taken(std::move(other));  // Its destructor cancels the wait that this object held.
    std::swap(state_, taken.state_);
    return *this;
}

task_watch::~task_watch() {
    cancel();
}

void task_watch::cancel() noexcept {
    if (state_) {
        state_->cancellation.request_stop();
    }
}

operation<std::optional<task_event>> task_watch::next(call_options options) {
    const std::shared_ptr<state> of = state_;
    auto taking = vembed::detail::describe(
        of->core, vembed::detail::within(vembed::detail::no_timeout, std::move(options)),
        [of](const std::shared_ptr<client_core>&, monotonic_time deadline) { return state::take(of, deadline); });
    auto put_back = [of](task_event event) { of->put_back(std::move(event)); };
    return operation<next_event>(std::make_shared<next_call>(of->core, std::move(put_back), std::move(taking)));
}

operation<task> task_watch::get_end(call_options options) {
    const std::shared_ptr<state> of = state_;
    return vembed::detail::describe(of->core, vembed::detail::within(vembed::detail::no_timeout, std::move(options)),
                                    [of](const std::shared_ptr<client_core>&, monotonic_time deadline) {
                                        return state::wait_for_end(of, deadline);
                                    });
}

task_watch client::watch_task(std::string id, wait_options how, call_options options) {
    const auto of = std::make_shared<task_watch::state>(core_);
    of->follow(options.stop);
    options.stop = of->cancellation.get_token();
    how.on_event = [of, told = std::move(how.on_event)](const task_event& event) {
        of->push(event);
        if (told) {
            told(event);
        }
    };
    how.on_task = [of, told = std::move(how.on_task)](const task& seen) {
        of->push(changed_event(seen));
        if (told) {
            told(seen);
        }
    };
    wait_task(std::move(id), std::move(how), std::move(options)).start([of](result<task> ended) {
        of->end(std::move(ended));
    });
    return task_watch(of);
}

}  // namespace vembed::cyberun
