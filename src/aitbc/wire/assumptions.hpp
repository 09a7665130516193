#pragma once
/// What is assumed about AITBC because no document says it (wire contract, section 3, "[A]"). Each constant is used in
/// one place.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vembed::aitbc::assumed {

/// All calls of a client count together in both limits.
inline constexpr std::uint64_t calls_per_minute = 60;
inline constexpr std::uint64_t calls_per_hour = 1000;

/// The jobs that one page of a list is asked for. No maximum is documented; the coordinator's default is 20.
inline constexpr std::uint64_t page_length = 100;
/// Pages that are read of one list at most.
inline constexpr std::uint64_t pages_max = 50;

/// Both dialects take an `offset`, and newest jobs come first.
inline constexpr std::string_view offset_parameter = "offset";

/// A list is asked for at most this often.
inline constexpr std::chrono::seconds list_interval_least{5};
/// A longer distance of two polls is not taken, however little of the hour is left.
inline constexpr std::chrono::seconds list_interval_most{300};
/// A single job is asked for after the first time, then half as long again each time that nothing changed, up to the
/// second. A status may be a minute old, so that nothing is gained by more.
inline constexpr std::chrono::seconds job_interval_least{10};
inline constexpr std::chrono::seconds job_interval_most{60};

/// The pause after a 429 that names none.
inline constexpr std::chrono::seconds rate_limited_default{60};

/// A list may be this old, so that a job that was made just now is not in it yet (section 3, "may be up to 60 s
/// stale").
inline constexpr std::chrono::seconds list_stale_max{60};

/// How far the service's clock may differ from ours when a job is looked for by its time.
inline constexpr std::chrono::seconds clock_difference_max{120};

/// Bodies of requests are limited to this by the service (413).
inline constexpr std::size_t body_bytes_max = std::size_t{10} << 20;
inline constexpr std::size_t name_bytes_max = 256;
/// More GPUs or GB are a mistake in the request.
inline constexpr std::uint64_t requirement_max = 65536;
/// `timeout_seconds` counts from the submission, queueing included, as the coordinator's `ttl_seconds` does. A longer
/// time is a mistake in the request.
inline constexpr std::chrono::hours timeout_max{24 * 30};

/// The version's path segment, which a base URL may name or leave out.
inline constexpr std::string_view version_segment = "/v1";

/// What stands in place of a receipt's `client`.
inline constexpr std::string_view redacted = "(redacted)";

}  // namespace vembed::aitbc::assumed
