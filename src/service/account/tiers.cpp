#include "service/account/tiers.hpp"

namespace vembed::service {
namespace {

tier_limits tier_defaults(testing::tier tier) {
    tier_limits limits;
    limits.max_inputs = 1000;
    switch (tier) {
        case testing::tier::trial:
            limits.chunks_per_period = 400;
            limits.period_length_days = trial_days;
            limits.chunks_per_day = 100;
            limits.chunks_per_minute = 60;
            limits.max_chunks_per_request = 100;
            break;
        case testing::tier::free:
        case testing::tier::expired:
            limits.chunks_per_period = 100;
            limits.period_length_days = 30;
            limits.chunks_per_day = 25;
            limits.chunks_per_minute = 10;
            limits.minute_counts_requests = true;
            limits.max_chunks_per_request = 50;
            limits.max_inputs = 500;
            break;
        case testing::tier::paid:
            limits.chunks_per_period = 20'000'000;
            limits.period_length_days = 30;
            limits.chunks_per_day = 1'000'000;
            limits.chunks_per_minute = 6'000;
            limits.max_chunks_per_request = 1000;
            break;
    }
    return limits;
}

}  // namespace

tier_limits limits_of(testing::tier tier, const testing::service_options& options) {
    tier_limits limits = tier_defaults(tier);
    limits.chunks_per_minute = options.chunks_per_minute.value_or(limits.chunks_per_minute);
    limits.chunks_per_day = options.chunks_per_day.value_or(limits.chunks_per_day);
    limits.chunks_per_period = options.chunks_per_period.value_or(limits.chunks_per_period);
    return limits;
}

tier_names names_of(testing::tier tier) noexcept {
    switch (tier) {
        case testing::tier::trial: return {"free", "trial", "trial"};
        case testing::tier::free:
        case testing::tier::expired: return {"free", "free", "none"};
        case testing::tier::paid: break;
    }
    return {"paid", "paid", "active"};
}

}  // namespace vembed::service
