#include "cyberian/wire/tier_end.hpp"

#include "text/iso_time.hpp"

namespace vembed::cyberian {

std::optional<wall_time> tier_end_of(const account_info& account) {
    if (account.effective_tier != "trial") {
        return std::nullopt;
    }
    return text::parse_iso_time(account.trial_ends_at.value_or(""));
}

std::optional<wall_time> trial_ended_at(const account_info& account, wall_time now) {
    const bool subscribed = account.subscription_status == "active" || account.subscription_status == "trial";
    const auto end = text::parse_iso_time(account.trial_ends_at.value_or(""));
    const bool ended = !subscribed && account.effective_tier != "trial" && end && *end <= now;
    return ended ? end : std::nullopt;
}

}  // namespace vembed::cyberian
