#include "policy/retry/backoff.hpp"

#include <algorithm>

namespace vembed::policy {

std::optional<std::chrono::milliseconds> backoff_delay(const backoff_options& options, std::uint32_t tries_made,
                                                       std::uint64_t random_bits) noexcept {
    if (tries_made >= options.tries_max) {
        return std::nullopt;
    }
    const std::uint32_t doublings = std::min<std::uint32_t>(tries_made == 0 ? 0 : tries_made - 1, 30);
    const std::int64_t longest = std::max<std::int64_t>(options.delay_ms_max.count(), 1);
    const std::int64_t first = std::clamp<std::int64_t>(options.delay_ms_first.count(), 1, longest);
    const std::int64_t full = (first > (longest >> doublings)) ? longest : first << doublings;
    const std::int64_t spread = static_cast<std::int64_t>(random_bits % (static_cast<std::uint64_t>(full / 2) + 1));
    return std::chrono::milliseconds(full - spread);
}

std::chrono::milliseconds with_positive_jitter(std::chrono::milliseconds wait, std::uint64_t random_bits) noexcept {
    const std::int64_t most = std::clamp<std::int64_t>(wait.count() / 10, 10, 2000);
    return wait + std::chrono::milliseconds(random_bits % static_cast<std::uint64_t>(most));
}

}  // namespace vembed::policy
