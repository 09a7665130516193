#pragma once
/// A line of coroutines, served in order of arrival.

#include <list>
#include <memory>

#include <vembed/runtime/environment.hpp>

namespace vembed::runtime {

/// FIFO of waiters on one executor. A waiter leaves the line when its place object is destroyed.
class wait_queue {
public:
    wait_queue(asio::any_io_executor executor, std::shared_ptr<environment> env)
        : executor_(std::move(executor)), env_(std::move(env)) {}
    wait_queue(const wait_queue&) = delete;
    wait_queue& operator=(const wait_queue&) = delete;

    /// A place at the end of the line. The queue must outlive it.
    class place {
    public:
        explicit place(wait_queue& queue);
        ~place();
        place(const place&) = delete;
        place& operator=(const place&) = delete;

        [[nodiscard]] bool first() const noexcept;
        asio::awaitable<wait_outcome> wait_until(monotonic_time deadline);

    private:
        wait_queue* queue_;
        std::list<std::unique_ptr<timer>>::iterator self_;
    };

    [[nodiscard]] bool empty() const noexcept { return line_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return line_.size(); }

    /// Wakes the first in line, if any, so that it looks again.
    void wake_first() noexcept;
    void wake_all() noexcept;

private:
    asio::any_io_executor executor_;
    std::shared_ptr<environment> env_;
    std::list<std::unique_ptr<timer>> line_;
};

}  // namespace vembed::runtime
