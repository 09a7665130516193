#pragma once
/// @file
/// The events of a task while it is waited for, taken one after the other.

#include <memory>
#include <optional>
#include <utility>

#include <vembed/cyberun/events.hpp>
#include <vembed/cyberun/types.hpp>
#include <vembed/operation/call_options.hpp>
#include <vembed/operation/operation.hpp>

namespace vembed::cyberun {

/// A task that is waited for as client::wait_task() does, and its events as they come. The wait is under way from the
/// moment that client::watch_task() returns, whether or not events are taken:
///
///     vembed::cyberun::task_watch watch = client.watch_task(id);
///     for (;;) {
///         const auto event = co_await watch.next();
///         if (!event || !*event) {
///             break;
///         }
///         if ((*event)->progress) { … }
///     }
///     const auto ended = co_await watch.get_end();
///
/// A consumer that is slow does not hold up the wait. At most 256 events and 8 MiB are kept for it; beyond that the
/// oldest progress event is dropped, or the oldest event if there is no other. What was dropped is counted in
/// task_event::missed_before of the next event.
///
/// It may be used from any thread, and outlive its client, whose end cancels the wait.
class task_watch {
public:
    task_watch(task_watch&&) noexcept = default;
    /// Cancels the wait that this object had, if it has not ended.
    task_watch& operator=(task_watch&& other) noexcept;
    /// Cancels the wait if it has not ended. wait_options::cancel_on_abort says what becomes of the task.
    ~task_watch();

    /// The next event, in the order in which they came; nothing once the wait has ended, in whatever way, and all
    /// events were taken. Events are hints (see task_event), except those of the kind task_changed. By default it waits
    /// for ever.
    ///
    /// It fails with timeout and cancelled only for itself: the wait goes on, and no event is taken. This holds also if
    /// an event comes at the same moment, as in `co_await (watch.next() || timer)`.
    operation<std::optional<task_event>> next(call_options options = {});

    /// How the wait ended: what client::wait_task() would return. It waits until then, for ever by default, and may be
    /// called more than once. Events need not be taken before.
    operation<task> get_end(call_options options = {});

    /// Cancels the wait if it has not ended. Events that have come can still be taken.
    void cancel() noexcept;

private:
    friend class client;
    class state;
    explicit task_watch(std::shared_ptr<state> of) noexcept : state_(std::move(of)) {}
    std::shared_ptr<state> state_;
};

}  // namespace vembed::cyberun
