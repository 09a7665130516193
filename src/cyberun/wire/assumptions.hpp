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

/// An event without a name, as the standard names it, tells a state if it has a `status`.
inline constexpr std::string_view unnamed_event = "message";
inline constexpr std::size_t event_name_bytes_max = 64;

/// A stream that is silent for so long is no evidence that nothing happened: the task is asked for. Proxies cut idle
/// streams after 60 to 100 s.
inline constexpr std::chrono::seconds silence_max{30};
/// Heartbeats show that the stream is alive and not that it tells everything, and a list may be old: the task itself is
/// asked for at least so often.
inline constexpr std::chrono::minutes read_distance_max{5};
/// Events that cannot be read ask for the task at most this often.
inline constexpr std::chrono::seconds unreadable_read_distance{3};

/// The delay before a stream is opened again; it doubles up to the second while there is no event.
inline constexpr std::chrono::seconds reconnect_first{1};
inline constexpr std::chrono::seconds reconnect_most{30};
/// After so many streams in a row without an event the task is polled.
inline constexpr std::uint32_t empty_streams_max = 3;

/// A task that is polled is asked for after the first time, then half as long again each time that nothing changed, up
/// to the second.
inline constexpr std::chrono::seconds poll_first{3};
inline constexpr std::chrono::seconds poll_most{15};

/// A client waits for so many tasks by their streams at once, each of which takes a connection; further ones are
/// polled.
inline constexpr std::uint32_t streams_max = 64;
/// Tasks that are polled together are asked for by pages of the list of tasks, which shows the same states as the tasks
/// themselves. Lists that were refused, or so often in a row replaced no other read, are not asked for during that
/// time.
inline constexpr std::uint32_t useless_lists_max = 3;
inline constexpr std::chrono::minutes lists_given_up_for{10};

/// A download fails after so many tries in a row that got no new byte.
inline constexpr std::uint32_t download_tries_max = 10;
/// A link that was refused is fetched again so often without a new byte.
inline constexpr std::uint32_t refreshes_max = 2;

/// An upload is given up after so many tries, each with a link of its own.
inline constexpr std::uint32_t upload_tries_max = 4;

/// A task that was made just now may be missing from the list for so long.
inline constexpr std::chrono::seconds list_stale_max{10};
/// How far the service's clock may differ from ours when a task is looked for by its time.
inline constexpr std::chrono::seconds clock_difference_max{120};
/// A list with more tasks than this is not read to its end.
inline constexpr std::uint64_t listed_tasks_max = 5000;

/// The meaning of a parameter's `source_key` is not documented. It is taken for another name of the parameter: a run
/// may be given it, and sends `key`.
inline constexpr bool source_key_is_alias = true;

/// The service fills in a required parameter's default if the run does not have it.
inline constexpr bool default_fills_required = true;

/// The form of a webhook's `timestamp` is not documented. It is read as ISO-8601, or as seconds since 1970; a number
/// from this on is milliseconds.
inline constexpr double timestamp_ms_least = 1e11;

}  // namespace vembed::cyberun::assumed
