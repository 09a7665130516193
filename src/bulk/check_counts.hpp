#pragma once
/// Counts how the checks of jobs' proofs came out.

#include <vector>

#include <vembed/bulk/options.hpp>
#include <vembed/verify/offline_check.hpp>

namespace vembed::bulk {

/// Counts a check in the entry of its name, which is made if there is none, and keeps the reason that check_count
/// describes. Returns the entry; its basis is left to the caller.
check_count& count_check(std::vector<check_count>& counts, const offline_check& check);

}  // namespace vembed::bulk
