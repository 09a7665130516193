#pragma once
/// When a number of chunks will have been bought under an account's limits, which limit decides that, and how many
/// cannot be bought at all. Pure arithmetic over what the caller knows.
///
/// What it rests on: buying goes on whenever the limits allow it, spread evenly over the minute after a first burst;
/// nobody else uses the account; the day is a rolling one (chunks come back 24 hours after they were used), and those
/// in use of it now count as used just now, so that the answer is never too early. Days are counted in 24 hours from
/// now.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <vembed/core/quota.hpp>
#include <vembed/core/time.hpp>

namespace vembed::policy {

/// What can decide when a run is finished.
enum class finish_bound : std::uint8_t {
    none,             ///< Nothing that is known.
    service_speed,    ///< The service (or this machine) is slower than every limit.
    chunks_minute,    ///< Chunks a minute.
    requests_minute,  ///< Submissions a minute.
    chunks_day,       ///< Chunks in a rolling day.
    chunks_period,    ///< Chunks in the account's period.
    tier_end,         ///< The tier has ended: nothing can be bought.
};

/// As people read it: "chunks a minute", "day quota", "period quota", …; empty for `none`.
std::string_view to_string(finish_bound bound) noexcept;

class forecast_input {
public:
    std::uint64_t chunks = 0;  ///< Still to buy. Where it is known as a range only, forecast both ends.
    quota_state quota;         ///< The limits and what is used of each; a window without limit never binds.
    /// Of each period. Empty: not known; then one period after the present one is counted on, and none where
    /// quota.period_left is empty too.
    std::optional<std::chrono::seconds> period_length;
    std::optional<wall_time> tier_ends;  ///< Nothing can be bought from then on: the end of a trial.
    wall_time now{};
    double chunks_per_second = 0;      ///< The speed seen where no limit held the run back; 0: not known.
    std::uint64_t chunks_per_job = 0;  ///< About; 0: not known, then the limit of requests is not counted.

    forecast_input() = default;
};

/// Equal days in a row.
class forecast_days {
public:
    std::uint32_t first_day = 1;  ///< Day 1 is the 24 hours from now on.
    std::uint32_t last_day = 1;   ///< Included.
    std::uint64_t chunks_a_day = 0;

    forecast_days() = default;
};

/// When everything would be bought if only one limit held.
class forecast_limit {
public:
    finish_bound bound = finish_bound::none;
    std::optional<std::chrono::seconds> time_left;  ///< Empty: not everything, or not in a hundred years.
    std::uint64_t bought = 0;

    forecast_limit() = default;
};

class finish_forecast {
public:
    std::uint64_t bought = 0;    ///< Of the chunks asked about, under all limits together.
    std::uint64_t unbought = 0;  ///< The others: this tier does not sell them (or not in a hundred years).
    /// From now until the last chunk that can be bought is; empty where there is none or nothing at all is known.
    std::optional<std::chrono::seconds> time_left;
    finish_bound bound = finish_bound::none;  ///< The limit that alone would take the longest.
    std::vector<forecast_limit> limits;       ///< Each limit that is known, alone; in the order of finish_bound.
    std::vector<forecast_days> days;          ///< Days on which something is bought, ascending; the first of them only
                                              ///< where there are more than forecast_days_max groups.

    finish_forecast() = default;
};

inline constexpr std::size_t forecast_days_max = 64;

finish_forecast forecast(const forecast_input& input);

}  // namespace vembed::policy
