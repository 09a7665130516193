#pragma once
/// What the wire contract (section 3) leaves open and this service decides.

#include <cstdint>

namespace vembed::aitbc_service::assumptions {

/// A job is QUEUED for this part of its time.
inline constexpr std::uint32_t queued_part = 4;

/// A refused call uses nothing of the windows, which count over all clients, because they share an address.
inline constexpr bool refused_calls_count = false;

/// The status for the output of a job of the `docs` dialect that ended without one.
inline constexpr int no_output_status = 409;

/// The most jobs of a page.
inline constexpr std::uint64_t page_max = 100;

/// What a job costs, by the second.
inline constexpr double cost_per_second = 0.001;

}  // namespace vembed::aitbc_service::assumptions
