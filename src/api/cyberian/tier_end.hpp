#pragma once
/// When an account's tier ends.

#include <optional>

#include <vembed/core/time.hpp>
#include <vembed/cyberian/types.hpp>

namespace vembed::cyberian {

/// Nothing can be bought from then on: the end of a trial. Empty where the tier does not end or the time cannot be
/// read.
std::optional<wall_time> tier_end_of(const account_info& account);

}  // namespace vembed::cyberian
