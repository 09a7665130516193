#pragma once
/// Starts, cancels and completes operations. The template is instantiated in launch.cpp for every result.

#include <vembed/client/client.hpp>

#include "client/client_core.hpp"

namespace vembed::detail {

/// The deadline of a call: its own timeout, else the operation's default, else none.
monotonic_time deadline_of(const environment& env, const call_options& options, std::chrono::milliseconds otherwise);

}  // namespace vembed::detail
