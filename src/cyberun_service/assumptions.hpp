#pragma once
/// What the wire contract (section 2) leaves open and this service decides.

#include <chrono>
#include <cstddef>

namespace vembed::cyberun_service::assumptions {

/// A task waits for this part of its time before it runs.
inline constexpr int waiting_part = 4;

/// The status of a run that is refused for its parameters, and of one of a disabled workflow.
inline constexpr int bad_parameters_status = 400;
inline constexpr int disabled_status = 409;

/// How often an open stream looks whether its task was cancelled.
inline constexpr std::chrono::milliseconds stream_look{500};

/// How long a stream that tells nothing stays open.
inline constexpr std::chrono::minutes silent_for{10};

/// Bytes of a piece of a download.
inline constexpr std::size_t piece_bytes = 65'536;

}  // namespace vembed::cyberun_service::assumptions
