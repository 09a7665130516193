#pragma once
/// Types the events of a task's stream (wire contract, section 2, "SSE").

#include <vembed/cyberun/events.hpp>

#include "sse/event_reader.hpp"

namespace vembed::cyberun {

/// Reads one event. It never fails: what cannot be read is `unreadable`, and the task has to be asked.
task_event read_event(const sse::event& from);

}  // namespace vembed::cyberun
