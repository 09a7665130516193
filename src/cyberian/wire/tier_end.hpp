#pragma once
/// Reads when an account's tier ends.

#include <optional>

#include <vembed/core/time.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::cyberian {

/// The end of a trial: nothing can be bought afterwards. Empty if the tier does not end or if the time cannot be read.
std::optional<wall_time> tier_end_of(const account_info& account);

/// When the account's trial ended: before `now`, with no subscription since. Such an account has the free tier's limits
/// in /account, but only the service knows whether it accepts the account's jobs; if not, it refuses them with 402
/// `trial_expired`. Empty if no trial ended or if the time cannot be read.
std::optional<wall_time> trial_ended_at(const account_info& account, wall_time now);

}  // namespace vembed::cyberian
