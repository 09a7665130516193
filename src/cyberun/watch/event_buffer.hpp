#pragma once
/// Keeps a task's events for a consumer that may be slow, within limits.

#include <cstddef>
#include <deque>
#include <optional>

#include <vembed/cyberun/events.hpp>

namespace vembed::cyberun {

class event_buffer {
public:
    static constexpr std::size_t events_max = 256;
    /// Of memory, roughly. One event is kept whatever its size; its reader limits that.
    static constexpr std::size_t bytes_max = std::size_t{8} << 20;

    /// Adds an event. Beyond the limits the oldest progress event is dropped, or the oldest event if there is no other;
    /// the event after it counts what was dropped.
    void push(task_event event);

    /// The oldest event; empty if there is none.
    std::optional<task_event> pop();

    /// Undoes a pop().
    void put_back(task_event event);

    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }

private:
    class entry {
    public:
        task_event event;
        std::size_t bytes = 0;
    };

    void drop_one();

    std::deque<entry> kept_;
    std::size_t bytes_ = 0;
};

}  // namespace vembed::cyberun
