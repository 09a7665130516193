#pragma once
/// When an account's tier ends.

#include <optional>

#include <vembed/core/time.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::cyberian {

/// Nothing can be bought from then on: the end of a trial. Empty where the tier does not end or the time cannot be
/// read.
std::optional<wall_time> tier_end_of(const account_info& account);

/// When the account's trial ended: before `now`, with no subscription since. Such an account has the free tier's limits
/// in /account, and whether the service takes its jobs is for the service to say: it refuses them with 402
/// `trial_expired`, or not. Empty where that is not so or cannot be read.
std::optional<wall_time> trial_ended_at(const account_info& account, wall_time now);

}  // namespace vembed::cyberian
