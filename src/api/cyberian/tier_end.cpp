#include "cyberian/tier_end.hpp"

#include "policy/iso_time.hpp"

namespace vembed::cyberian {

std::optional<wall_time> tier_end_of(const account_info& account) {
    if (account.effective_tier != "trial") {
        return std::nullopt;
    }
    return policy::parse_iso_time(account.trial_ends_at.value_or(""));
}

}  // namespace vembed::cyberian
