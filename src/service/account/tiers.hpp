#pragma once
/// The limits of each tier. Those of trial and free are the contract's numbers; those of paid are chosen here.

#include <cstdint>
#include <string_view>

#include <vembed/testing/service.hpp>

namespace vembed::service {

class tier_limits {
public:
    std::uint64_t chunks_per_period = 0;
    std::uint64_t period_length_days = 0;
    std::uint64_t chunks_per_day = 0;     ///< In a rolling 24 hours.
    std::uint64_t chunks_per_minute = 0;  ///< In any 60 s; counts requests if minute_counts_requests.
    bool minute_counts_requests = false;  ///< The older documents say so for the free tier.
    std::uint64_t max_chunks_per_request = 0;
    std::uint64_t max_inputs = 0;

    tier_limits() = default;
};

/// The tier's limits, with those that the options override.
tier_limits limits_of(testing::tier tier, const testing::service_options& options);

/// An account's tier as GET /account shows it: a trial is the free tier with higher limits for a time.
struct tier_names {
    std::string_view tier;
    std::string_view effective;
    std::string_view subscription;
};
tier_names names_of(testing::tier tier) noexcept;

/// The length of a trial in days, from the verification of the account's e-mail address.
inline constexpr std::uint64_t trial_days = 14;

}  // namespace vembed::service
