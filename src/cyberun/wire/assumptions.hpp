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

/// Where a service on a host of one's own has its API, if its base URL names a host only.
inline constexpr std::string_view api_path = "/api/v1";

/// The runtime calls' path, which a base URL may name or leave out.
inline constexpr std::string_view runtime_path = "/r";

/// The most that is shown of an error's body, whose form is not documented.
inline constexpr std::size_t error_text_bytes_max = 2048;

/// The pause after a 429, a 5xx or a lost response that names none; it doubles up to the second.
inline constexpr std::chrono::seconds backoff_first{5};
inline constexpr std::chrono::seconds backoff_most{60};

/// A task that was accepted by our own run less than this ago may still answer 404: it is asked for so many times in
/// all, first after this delay.
inline constexpr std::chrono::seconds new_task_window{5};
inline constexpr std::uint32_t new_task_tries = 3;
inline constexpr std::chrono::seconds new_task_delay{1};

}  // namespace vembed::cyberun::assumed
