#pragma once
/// What each tier allows. Trial and free are the contract's numbers; paid is the stand-in's own choice.

#include <cstdint>
#include <string_view>

#include <vembed/testing/service.hpp>

namespace vembed::service {

class tier_limits {
public:
    std::uint64_t chunks_per_period = 0;
    std::uint64_t period_length_days = 0;
    std::uint64_t chunks_per_day = 0;     ///< In a rolling 24 hours.
    std::uint64_t chunks_per_minute = 0;  ///< In any 60 s; of requests instead where minute_counts_requests.
    bool minute_counts_requests = false;  ///< As the older documents have it for the free tier.
    std::uint64_t max_chunks_per_request = 0;
    std::uint64_t max_inputs = 0;

    tier_limits() = default;
};

/// The tier's limits, with those the options set instead.
tier_limits limits_of(testing::tier tier, const testing::service_options& options);

/// An account's tier as GET /account tells it: a trial is the free tier with more for a time.
struct tier_names {
    std::string_view tier;
    std::string_view effective;
    std::string_view subscription;
};
tier_names names_of(testing::tier tier) noexcept;

/// The days of a trial, from the verification of the account's e-mail address.
inline constexpr std::uint64_t trial_days = 14;

}  // namespace vembed::service
