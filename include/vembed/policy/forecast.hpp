#pragma once
/// @file
/// When a number of chunks will have been bought under an account's limits, and which limit decides that.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vembed {

/// The limit that decides when a run is finished.
enum class finish_bound : std::uint8_t {
    none,             ///< No known limit decides.
    service_speed,    ///< The service (or this machine) is slower than every limit.
    chunks_minute,    ///< Chunks a minute.
    requests_minute,  ///< Submissions a minute.
    chunks_day,       ///< Chunks in a rolling day.
    chunks_period,    ///< Chunks in the account's period.
    tier_end,         ///< The tier has ended: nothing can be bought.
};

/// The name for people: "chunks a minute", "day quota", "period quota", …; empty for `none`.
std::string_view to_string(finish_bound bound) noexcept;

inline constexpr std::size_t forecast_days_max = 64;

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
    /// Empty if not everything can be bought, or not in a hundred years.
    std::optional<std::chrono::seconds> time_left;
    std::uint64_t bought = 0;

    forecast_limit() = default;
};

class finish_forecast {
public:
    std::uint64_t bought = 0;    ///< Chunks asked for that can be bought under all limits together.
    std::uint64_t unbought = 0;  ///< The rest: this tier does not sell them (or not in a hundred years).
    /// The time from now until the last chunk that can be bought is bought; empty if there is none or nothing is known.
    std::optional<std::chrono::seconds> time_left;
    finish_bound bound = finish_bound::none;  ///< The limit that alone would take the longest.
    std::vector<forecast_limit> limits;       ///< Each known limit alone, in the order of finish_bound.
    std::vector<forecast_days> days;          ///< Days on which something is bought, ascending. Only the first
                                              ///< forecast_days_max groups are listed if there are more.

    finish_forecast() = default;
};

}  // namespace vembed
