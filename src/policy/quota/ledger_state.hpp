#pragma once
/// The whole state of a quota ledger as plain values, so that it can be stored on disk and shared between processes.
/// Times are monotonic; the code that stores them converts them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vembed/core/time.hpp>

#include "policy/quota/flight_limit.hpp"
#include "policy/quota/shared_pause.hpp"
#include "policy/quota/submission_pace.hpp"
#include "policy/quota/usage_window.hpp"

namespace vembed::policy {

/// The limit that an admission waits for, or is refused by.
enum class quota_bound : std::uint8_t {
    none,
    chunks_per_minute,
    requests_per_minute,
    chunks_per_day,
    chunks_per_period,
    jobs_in_flight,
    pace,   ///< The rate learned from refusals.
    pause,  ///< The service asked for a pause, or callers are still coming back from one.
    calls_per_minute,
    calls_per_hour,
};

/// Whether the limit is one that all requests of the account share.
constexpr bool limits_calls(quota_bound bound) noexcept {
    return bound == quota_bound::calls_per_minute || bound == quota_bound::calls_per_hour;
}

/// An admitted job's share. `owner` and `number` together name it.
class reservation {
public:
    std::uint64_t owner = 0;  ///< The ledger's owner that made it; each client draws a new one.
    std::uint64_t number = 0;
    std::uint64_t chunks = 0;  ///< Estimated; the charge once it is closed.
    std::uint64_t borne = 0;   ///< Accepted jobs that had not ended when it was made.
    monotonic_time made_at{};
    /// The service has counted the request: it counts in the windows, and in flight until the job ends.
    bool closed = false;
    bool answered = false;  ///< It was accepted, or its response comes only when its work is done.

    reservation() = default;
};

/// A plain request without a response yet. `owner` and `number` together name it.
class open_call {
public:
    std::uint64_t owner = 0;
    std::uint64_t number = 0;

    open_call() = default;
    friend bool operator==(const open_call&, const open_call&) = default;
    friend bool operator<(const open_call& a, const open_call& b) noexcept {
        return a.owner != b.owner ? a.owner < b.owner : a.number < b.number;
    }
};

class ledger_state {
public:
    std::vector<usage_bucket> minute;  ///< Oldest first.
    std::vector<usage_bucket> day;
    std::vector<reservation> reservations;
    std::uint64_t next_number = 1;  ///< Number of the next reservation: none is used twice.
    std::uint64_t period_chunks = 0;
    std::string period;  ///< The service's name of the period that is counted; empty: not known.
    std::optional<monotonic_time> period_ends;
    monotonic_clock::duration period_length{0};     ///< 0: not known.
    bool period_started_here = false;               ///< The clock started the period, not the service.
    quota_bound refused_by = quota_bound::none;     ///< The service said that this quota is used up.
    monotonic_time refused_until{};                 ///< Until then refused_by is believed.
    std::optional<monotonic_time> synchronised_at;  ///< The time of the last comparison with the service's own count.
    pause_state pause;
    pace_state pace;
    flight_state flight;
    // The windows of all calls. They are empty if the account has no such limits.
    std::vector<usage_bucket> calls_minute;  ///< Oldest first; `requests` are the calls.
    std::vector<usage_bucket> calls_hour;
    std::vector<open_call> calls;

    ledger_state() = default;
};

}  // namespace vembed::policy
