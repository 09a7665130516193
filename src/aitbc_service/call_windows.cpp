#include "aitbc_service/call_windows.hpp"

#include <algorithm>

#include "aitbc_service/assumptions.hpp"

namespace vembed::aitbc_service {

std::uint64_t call_window::count(monotonic_time now) {
    while (!calls_.empty() && now - calls_.front() >= length_) {
        calls_.pop_front();
    }
    return calls_.size();
}

void call_window::add(monotonic_time now) {
    calls_.push_back(now);
    most_ = std::max<std::uint64_t>(most_, count(now));
}

bool call_windows::admit(monotonic_time now) {
    arrived_minute_.add(now);
    arrived_hour_.add(now);
    const bool minute_full = per_minute_ != 0 && minute_.count(now) >= per_minute_;
    const bool hour_full = per_hour_ != 0 && hour_.count(now) >= per_hour_;
    if (assumptions::refused_calls_count || (!minute_full && !hour_full)) {
        minute_.add(now);
        hour_.add(now);
    }
    return !minute_full && !hour_full;
}

}  // namespace vembed::aitbc_service
