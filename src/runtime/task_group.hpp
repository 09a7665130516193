#pragma once
/// Child coroutines that end before their parent does.

#include <cstdint>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// Runs children on one executor and waits for all of them. A child reports cancellation by its wait outcomes, not by
/// exceptions; an exception that leaves a child cancels its siblings and is rethrown by join().
///
/// The parent must await join() before the group is destroyed; destroying it earlier cancels the children and lets
/// them end on their own, so what they refer to must then outlive them by other means.
class task_group {
public:
    task_group(asio::any_io_executor executor, std::shared_ptr<environment> env);
    ~task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Starts a child. If the group was cancelled, the child is dropped before it begins.
    void spawn(asio::awaitable<void> child);

    /// Waits until no child is left. If the awaiting coroutine is cancelled, cancels the children, waits for them to
    /// end, and returns false. After that the awaiting coroutine no longer shows that it was cancelled and cannot be
    /// cancelled again: a caller that gets false must report it and begin nothing more.
    asio::awaitable<bool> join();

    /// Cancels all present and future children.
    void cancel();
    [[nodiscard]] std::size_t running() const noexcept;

private:
    class state;
    std::shared_ptr<state> state_;
};

}  // namespace vembed::runtime
