#pragma once
/// All that a quota ledger knows, as plain values: for keeping it on disk and sharing it between processes. Times are
/// monotonic; whoever stores them converts them.

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

/// Which limit an admission waits for, or is refused by.
enum class quota_bound : std::uint8_t {
    none,
    chunks_per_minute,
    requests_per_minute,
    chunks_per_day,
    chunks_per_period,
    jobs_in_flight,
    pace,   ///< The rate learned from refusals.
    pause,  ///< The service asked for quiet, or everyone is coming back from that.
};

/// An admitted job's share. `owner` and `number` together name it.
class reservation {
public:
    std::uint64_t owner = 0;  ///< Whose it is: a ledger's owner, drawn anew by each client.
    std::uint64_t number = 0;
    std::uint64_t chunks = 0;  ///< Estimated, or charged once it is closed.
    std::uint64_t borne = 0;   ///< Jobs that the service bore when it was made.
    monotonic_time made_at{};
    bool closed = false;  ///< Its moment at the service is past: it counts in the windows, and in flight until it ends.
    bool answered = false;  ///< Accepted, or its answer comes only when its work is done.

    reservation() = default;
};

class ledger_state {
public:
    std::vector<usage_bucket> minute;  ///< Oldest first.
    std::vector<usage_bucket> day;
    std::vector<reservation> reservations;
    std::uint64_t next_number = 1;  ///< Of reservations: none is used twice.
    std::uint64_t period_chunks = 0;
    std::string period;  ///< The service's name of the period that is counted; empty: not known.
    std::optional<monotonic_time> period_ends;
    monotonic_clock::duration period_length{0};     ///< 0: not known.
    bool period_started_here = false;               ///< By the clock, not by the service's word.
    quota_bound refused_by = quota_bound::none;     ///< The service said that this quota is used up…
    monotonic_time refused_until{};                 ///< …and is believed until then.
    std::optional<monotonic_time> synchronised_at;  ///< With the service's own count.
    pause_state pause;
    pace_state pace;
    flight_state flight;

    ledger_state() = default;
};

}  // namespace vembed::policy
