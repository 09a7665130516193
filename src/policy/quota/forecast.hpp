#pragma once
/// Forecasts when a number of chunks will have been bought under an account's limits, which limit decides that, and how
/// many chunks cannot be bought at all. Pure arithmetic over what the caller knows.
///
/// Assumptions: buying goes on whenever the limits allow it, spread evenly over the minute after a first burst. Nobody
/// else uses the account. The day is a rolling one (chunks become free 24 hours after they were used); the chunks in
/// use now count as used just now, so that the forecast is never too early. Days are counted in 24 hours from now.

#include <chrono>
#include <cstdint>
#include <optional>

#include <vembed/core/quota.hpp>
#include <vembed/core/time.hpp>
#include <vembed/policy/forecast.hpp>

namespace vembed::policy {

class forecast_input {
public:
    std::uint64_t chunks = 0;  ///< Chunks to buy. If only a range is known, forecast both ends.
    quota_state quota;         ///< The limits and what is used of each; a window without limit never binds.
    /// The length of each period. Empty if not known: then one period after the present one is counted on, and none if
    /// quota.period_left is empty too.
    std::optional<std::chrono::seconds> period_length;
    std::optional<wall_time> tier_ends;  ///< Nothing can be bought from then on: the end of a trial.
    wall_time now{};
    double chunks_per_second = 0;      ///< The speed seen while no limit held the run back; 0 if not known.
    std::uint64_t chunks_per_job = 0;  ///< An estimate; 0 if not known: then the limit of requests is not counted.

    forecast_input() = default;
};

finish_forecast forecast(const forecast_input& input);

}  // namespace vembed::policy
