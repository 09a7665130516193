#include "plan/known_use.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "admission/shared_ledger.hpp"
#include "connection/shared_quota.hpp"

namespace vembed::plan {

std::optional<std::uint64_t> chunks_known_today(const std::string& quota_folder, const std::string& base_url,
                                                const account_info& account, std::shared_ptr<environment> env) {
    const std::string place = detail::quota_place(quota_folder, base_url, account.account_id);
    std::error_code ignored;
    if (account.account_id.empty() || !std::filesystem::exists(place + ".sqlite", ignored)) {
        return std::nullopt;
    }
    const auto ledger = admission::shared_ledger::open(place, admission::machine_clock_name(), env->random(), env);
    if (!ledger) {
        return std::nullopt;
    }
    std::uint64_t used = 0;
    const monotonic_time now = env->now();
    const std::uint64_t limit = account.limits.chunks_per_day.value_or(0);
    const auto look = [&used, now, limit](policy::quota_ledger& counted) {
        used = counted.use(now).chunks_day.used;
        const policy::ledger_state known = counted.snapshot();
        if (known.refused_by == policy::quota_bound::chunks_per_day && known.refused_until > now) {
            used = std::max(used, limit);
        }
    };
    (*ledger)->update(look);
    return used;
}

}  // namespace vembed::plan
