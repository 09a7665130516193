#include "policy/retry/outage.hpp"

#include <utility>

namespace vembed::policy {

std::string brief_reason(std::string_view message) {
    constexpr std::size_t bytes_max = 60;
    const std::size_t colon = message.rfind(": ");
    const std::string_view reason = colon == std::string_view::npos ? message : message.substr(colon + 2);
    return std::string(reason.substr(0, bytes_max));
}

outage::change outage::got_no_response(monotonic_time now, std::string why) {
    since_ = silent_ ? since_ : now;
    silent_ = true;
    why_ = std::move(why);
    if (lasts_ || now - since_ < least) {
        return change::none;
    }
    lasts_ = true;
    return change::begun;
}

outage::change outage::got_response() noexcept {
    silent_ = false;
    return std::exchange(lasts_, false) ? change::ended : change::none;
}

}  // namespace vembed::policy
