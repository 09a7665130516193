#pragma once
/// @file
/// What a task's event stream tells (wire contract, section 2, "SSE"). Events are hints: only GET /r/tasks/{id} tells a
/// task's state.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include <vembed/cyberun/types.hpp>

namespace vembed::cyberun {

enum class event_kind : std::uint8_t {
    progress,
    status,  ///< Also an event without a name that has a state.
    completed,
    failed,
    cancelled,
    stream_error,  ///< The service could not read the task just now; the stream goes on, and so may the task.
    ignored,       ///< A name that is not known, or an event without a name and a state.
    unreadable,    ///< A known name whose data is no JSON object.
    task_changed,  ///< Only of task_watch, and no hint: a GET showed another state or retry_count than the last.
};

std::string_view to_string(event_kind kind) noexcept;

/// One event of a task. Texts are the service's and untrusted.
class task_event {
public:
    event_kind kind = event_kind::ignored;
    std::string name;                ///< As the stream wrote it; "message" if it wrote none.
    std::optional<double> progress;  ///< 0 to 1; empty if there is none or it is out of this range. It may fall.
    std::optional<std::uint64_t> step_current;
    std::optional<std::uint64_t> step_total;
    task_state state = task_state::unknown;  ///< Of status, completed, failed and cancelled.
    std::string state_text;                  ///< The service's own word; empty if the event has none.
    std::string text;                        ///< `error` of failed and stream_error, else `message`; may be empty.
    std::optional<std::string> stage;
    std::optional<std::string> current_node;
    std::optional<std::string> timestamp;
    boost::json::value raw;  ///< The data as JSON; null if it is none. Of task_changed: task::raw.
    /// Only of task_watch: how many events were dropped just before this one, because the consumer was slow.
    std::uint64_t missed_before = 0;

    task_event() = default;
};

/// Whether an event claims that the task has ended.
inline bool claims_end(const task_event& of) noexcept {
    return is_terminal(of.state);
}

}  // namespace vembed::cyberun
