#pragma once
/// The stream of a task's events.

#include <cstdint>
#include <memory>

#include <vembed/testing/local_service.hpp>

#include "cyberun_service/tasks.hpp"

namespace vembed::cyberun_service {

/// 200 with the events of `of` from `now` on, spoiled as the state's faults say for the request `ordinal`.
testing::service_response event_stream(const std::shared_ptr<state>& from, std::shared_ptr<task> of,
                                       std::uint64_t ordinal, monotonic_time now);

}  // namespace vembed::cyberun_service
