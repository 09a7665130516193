#pragma once
/// Starts, cancels and completes operations.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <vembed/operation/call_options.hpp>
#include <vembed/operation/operation.hpp>

#include "core/thrown.hpp"
#include "operation/durations.hpp"
#include "operation/host.hpp"

namespace vembed::detail {

/// What an operation does on the client's executor.
template <class T>
using operation_body = std::function<asio::awaitable<result<T>>(std::shared_ptr<operation_host>, monotonic_time)>;

// The caller's callback, source or sink threw, or memory ran out.
inline constexpr std::string_view operation_code = "the operation";

// The executor on which a handler is called. Asio returns an empty executor if it had no memory for one.
template <class T>
asio::any_completion_executor executor_of(const completion<T>& handler, const asio::any_io_executor& otherwise) {
    asio::any_completion_executor found = asio::get_associated_executor(handler, otherwise);
    if (!found) {
        throw std::bad_alloc();
    }
    return found;
}

// One operation from its start to the call of its handler. Everything except request_cancel() runs on the client's
// executor; the handler and its cancellation slot are used on the handler's.
template <class T>
class started final : public running_operation, public std::enable_shared_from_this<started<T>> {
public:
    started(std::shared_ptr<operation_host> on, operation_body<T> described, completion<T> to_call)
        : core(std::move(on)),
          body(std::move(described)),
          handler(std::move(to_call)),
          handler_executor(executor_of(handler, core->executor)),
          // An executor_work_guard is not used: in Asio its constructor is noexcept but allocates.
          handler_work(asio::prefer(handler_executor, asio::execution::outstanding_work.tracked)) {}

    // If Asio found no memory to continue the coroutine, complete() was not called.
    ~started() override { leave_list(); }

    // May be called from any thread. Emitting a signal of another thread's coroutine directly would race with it. The
    // pointer is passed on, so that the caller is not the last owner of the client's objects.
    static void request_cancel(std::shared_ptr<started> who) {
        const asio::any_io_executor on = who->core->executor;
        asio::post(on, [who = std::move(who)] { who->cancel(); });
    }

    void cancel() override {
        cancelled = true;
        signal.emit(asio::cancellation_type::terminal);
    }

    // Delivers the outcome on the handler's executor, on which its cancellation slot may be used. Only the handler and
    // the outcome go there: the client's objects are released on the client's own executor.
    void complete() {
        stop.reset();
        leave_list();
        const auto deliver_on = handler_executor;
        asio::dispatch(deliver_on, [to_call = std::move(handler), delivered = std::move(*outcome),
                                    work = std::move(handler_work)]() mutable {
            asio::cancellation_slot slot = asio::get_associated_cancellation_slot(to_call);
            if (slot.is_connected()) {
                slot.clear();
            }
            work.reset();
            std::move(to_call)(std::move(delivered));
        });
    }

    void leave_list() {
        if (std::exchange(listed, false)) {
            core->remove(this);
        }
    }

    struct on_stop {
        std::weak_ptr<started> who;
        void operator()() const {
            if (std::shared_ptr<started> self = who.lock()) {
                request_cancel(std::move(self));
            }
        }
    };

    std::shared_ptr<operation_host> core;
    operation_body<T> body;
    completion<T> handler;
    asio::any_completion_executor handler_executor;
    std::optional<asio::any_completion_executor> handler_work;  ///< Keeps its context running until the call.
    asio::cancellation_signal signal;
    std::optional<std::stop_callback<on_stop>> stop;
    std::optional<result<T>> outcome;
    bool listed = false;  ///< It is in the client's list of operations.
    bool cancelled = false;
};

// The coroutine ended without reaching its body, because it could not be started.
template <class T>
result<T> never_ran(const std::exception_ptr& code) {
    try {
        if (code) {
            std::rethrow_exception(code);
        }
    } catch (...) {
        return thrown_failure(operation_code);
    }
    return error(errc::cancelled, "cancelled before it began");
}

template <class T>
asio::awaitable<void> run(std::shared_ptr<started<T>> self, monotonic_time deadline) {
    // Cancellation is an outcome of each wait, not an exception between them.
    co_await asio::this_coro::throw_if_cancelled(false);
    if (self->core->is_shut_down() || self->cancelled) {
        self->outcome.emplace(error(errc::cancelled, "cancelled before it began"));
        co_return;
    }
    try {
        std::shared_ptr<operation_host> core = self->core;
        asio::awaitable<result<T>> running = self->body(std::move(core), deadline);
        result<T> outcome = co_await std::move(running);
        self->outcome.emplace(std::move(outcome));
    } catch (...) {
        self->outcome.emplace(thrown_failure(operation_code));
    }
}

// Runs on the client's executor. If an allocation fails, the operation does not stay in the client's list.
template <class T>
void begin(const std::shared_ptr<started<T>>& self, monotonic_time deadline, const std::stop_token& stop) {
    try {
        self->core->add(self.get());
        self->listed = true;
        if (stop.stop_possible()) {
            typename started<T>::on_stop callback;
            callback.who = self;
            self->stop.emplace(stop, std::move(callback));
        }
        asio::co_spawn(self->core->executor, run<T>(self, deadline),
                       asio::bind_cancellation_slot(self->signal.slot(), [self](const std::exception_ptr& error) {
                           if (!self->outcome) {
                               self->outcome.emplace(never_ran<T>(error));
                           }
                           self->complete();
                       }));
    } catch (const std::bad_alloc&) {
        self->outcome.emplace(never_ran<T>(std::current_exception()));
        self->complete();
    }
}

/// An operation of a client. It lets go of the client when it is started, so that it is not the client's last owner.
template <class T>
class startable final : public description<T> {
public:
    startable(std::shared_ptr<operation_host> core, call_options options, operation_body<T> body)
        : core_(std::move(core)), options_(std::move(options)), body_(std::move(body)) {}

    void start(completion<T> handler) override {
        if (was_started_.exchange(true) || core_ == nullptr) {
            refuse(std::move(handler), "this operation was started before; describe it anew to start it again");
        } else if (core_->in_forked_process()) {
            refuse(std::move(handler),
                   "this client was made before fork(), and its threads are not in the child process; make a client in "
                   "the child");
        } else {
            const monotonic_time deadline = deadline_after(core_->env->now(), saturated(options_.timeout));
            launch(std::make_shared<started<T>>(std::move(core_), std::move(body_), std::move(handler)), deadline);
        }
    }

private:
    // The client's executor is not used, because nobody runs it after fork().
    static void refuse(completion<T> handler, const char* why) {
        const auto tell_on = executor_of(handler, asio::any_io_executor(asio::system_executor()));
        asio::dispatch(tell_on, [to_call = std::move(handler), why]() mutable {
            std::move(to_call)(result<T>(error(errc::invalid_argument, why)));
        });
    }

    void launch(std::shared_ptr<started<T>> self, monotonic_time deadline) {
        asio::cancellation_slot slot = asio::get_associated_cancellation_slot(self->handler);
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr<started<T>>(self)](asio::cancellation_type type) {
                if ((type & asio::cancellation_type::terminal) == asio::cancellation_type::none) {
                    return;
                }
                if (std::shared_ptr<started<T>> alive = weak.lock()) {
                    started<T>::request_cancel(std::move(alive));
                }
            });
        }
        const asio::any_io_executor on = self->core->executor;
        asio::post(on, [self = std::move(self), deadline, stop = std::move(options_.stop)] {
            begin<T>(self, deadline, stop);
        });
    }

    std::shared_ptr<operation_host> core_;
    call_options options_;
    operation_body<T> body_;
    std::atomic<bool> was_started_ = false;
};

// The time limits of operations whose call_options have none.
inline constexpr std::chrono::milliseconds call_timeout{120'000};
inline constexpr std::chrono::milliseconds job_timeout{600'000};
inline constexpr std::chrono::milliseconds no_timeout = std::chrono::milliseconds::max();

inline call_options within(std::chrono::milliseconds timeout, call_options options) {
    options.timeout = options.timeout.count() != 0 ? options.timeout : timeout;
    return options;
}

/// The T of a coroutine that returns asio::awaitable<result<T>>.
template <class Body, class... Given>
using value_of = typename std::invoke_result_t<Body&, Given...>::value_type::value_type;

/// The operation of a client that runs the coroutine `body` with the client's core and the deadline.
template <class Core, class Body>
auto describe(std::shared_ptr<Core> core, call_options options, Body body) {
    using value = value_of<Body, std::shared_ptr<Core>, monotonic_time>;
    auto run = [body = std::move(body)](std::shared_ptr<operation_host> on, monotonic_time deadline) mutable {
        return body(std::static_pointer_cast<Core>(std::move(on)), deadline);
    };
    return operation<value>(std::make_shared<startable<value>>(std::move(core), std::move(options), std::move(run)));
}

/// The operation that calls `work` with the client's core, or as a method of the core's `api`, with what is given and
/// the deadline. A client returns it; a blocking client, whose Returns is result, waits for its end.
template <template <class> class Returns, class Core, class Work, class... Given>
auto call(std::shared_ptr<Core> core, call_options options, Work work, Given... given) {
    auto body = [work, ... kept = std::move(given)](std::shared_ptr<Core> on, monotonic_time deadline) mutable {
        if constexpr (std::is_member_function_pointer_v<Work>) {
            return std::invoke(work, *on->api, std::move(kept)..., deadline);
        } else {
            return std::invoke(work, std::move(on), std::move(kept)..., deadline);
        }
    };
    auto made = describe(std::move(core), std::move(options), std::move(body));
    using value = value_of<decltype(body), std::shared_ptr<Core>, monotonic_time>;
    if constexpr (std::is_same_v<Returns<value>, operation<value>>) {
        return made;
    } else {
        return made.start(asio::use_future).get();
    }
}

}  // namespace vembed::detail
