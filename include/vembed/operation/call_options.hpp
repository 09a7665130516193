#pragma once
/// @file
/// The options of one call of a client.

#include <chrono>
#include <stop_token>

namespace vembed {

/// The options of one call.
class call_options {
public:
    /// From the call to its completion: throttle, retries and polls included. Zero: the default of the operation
    /// (120 s; 600 s for embed, settle_job and verify_outputs; none for embed_corpus). Negative: already past, the call
    /// ends with timeout. std::chrono::milliseconds::max(): never.
    std::chrono::milliseconds timeout{0};
    /// Cancels the call, from any thread. The call then completes with cancelled.
    std::stop_token stop;

    call_options() = default;
};

}  // namespace vembed
