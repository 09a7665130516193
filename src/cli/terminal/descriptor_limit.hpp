#pragma once
/// The number of files and connections that this process may have open.

#include <cstdint>
#include <string>

namespace vembed::cli {

/// Raises the soft limit to the hard one if the system allows it. Call it once, at the start.
void raise_descriptor_limit() noexcept;

/// The limit in force.
std::uint64_t descriptor_limit() noexcept;

/// The connections for `jobs` jobs in flight: each waits on one, and a few fetch their rows and receipts meanwhile.
std::uint32_t connections_for(std::uint32_t jobs) noexcept;

/// The number of jobs in flight, at most `jobs`, that a limit of `descriptors` allows: each takes a connection. A run
/// with more of them is refused, by the same number.
std::uint32_t jobs_within(std::uint64_t descriptors, std::uint32_t jobs) noexcept;

/// The message if a limit of `descriptors` is too low for that many jobs; empty if it is not.
std::string too_few_descriptors(std::uint64_t descriptors, std::uint32_t jobs);

}  // namespace vembed::cli
