#pragma once
/// What is assumed about Cyberun because its documents do not say it (wire contract section 2, the lines marked [A]).
/// Each assumption is named here and nowhere else.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vembed::cyberun::assumed {

/// The id of the file that `download_url` gives without one.
inline constexpr std::string_view single_output_id = "output";

/// A workflow with this `workflow_status` refuses to be run (409 or 412).
inline constexpr std::string_view disabled_status = "disabled";

/// The most bytes of an error body without a known form that are shown as text.
inline constexpr std::size_t error_text_max = 2048;

/// A 429 or 503 without Retry-After: the first pause, which doubles to the last.
inline constexpr std::chrono::seconds busy_first{5};
inline constexpr std::chrono::seconds busy_max{60};

/// A 404 for a task within this time of its own 202 is asked again, this many times in all.
inline constexpr std::chrono::seconds fresh_task{5};
inline constexpr std::uint32_t fresh_task_tries = 3;

/// An event without a name whose data has this member is a status event.
inline constexpr std::string_view unnamed_event_member = "status";

}  // namespace vembed::cyberun::assumed
