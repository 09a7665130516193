#include "policy/retry/poll_pace.hpp"

#include <algorithm>

namespace vembed::policy {

std::chrono::seconds poll_pace::after(std::string_view state, monotonic_clock::duration took) {
    const bool was_held = took >= distance_;
    const bool is_the_same = state == state_;
    distance_ = was_held || !is_the_same ? least : std::min(2 * distance_, most);
    state_ = state;
    return distance_;
}

}  // namespace vembed::policy
