#include "service/account/rate_bucket.hpp"

#include <algorithm>

namespace vembed::service {
namespace {

using testing::bucket_shape;

constexpr monotonic_clock::duration minute = std::chrono::seconds(60);

// A leaky bucket holds the amount of one second; a token bucket may save up a whole minute.
std::uint64_t held_at_once(bucket_shape shape, std::uint64_t cap) {
    return shape == bucket_shape::leaky_bucket ? std::max<std::uint64_t>(cap / 60, 1) : cap;
}

}  // namespace

rate_bucket::rate_bucket(bucket_shape shape, std::uint64_t cap)
    : shape_(shape), cap_(cap), holds_(held_at_once(shape, cap)), log_(cap, minute, std::chrono::milliseconds(1)) {}

// How long an amount takes to drain.
monotonic_clock::duration rate_bucket::time_of(std::uint64_t amount) const noexcept {
    const double exact = static_cast<double>(amount) * static_cast<double>(minute.count()) / static_cast<double>(cap_);
    return monotonic_clock::duration(static_cast<monotonic_clock::rep>(exact));
}

std::optional<monotonic_time> rate_bucket::log_room_at(std::uint64_t amount, monotonic_time now) {
    return log_.room_at(std::min(amount, cap_), now);
}

void rate_bucket::begin_window(monotonic_time now) {
    if (!window_) {
        window_ = now;
    } else if (now - *window_ >= minute) {
        *window_ += minute * ((now - *window_) / minute);
        window_used_ = 0;
    }
}

monotonic_time rate_bucket::window_room_at(std::uint64_t amount, monotonic_time now) {
    begin_window(now);
    const bool fits = window_used_ <= cap_ && std::min(amount, cap_) <= cap_ - window_used_;
    return fits ? now : *window_ + minute;
}

monotonic_time rate_bucket::drained_at(std::uint64_t amount, monotonic_time now) const {
    const std::uint64_t beside = holds_ - std::min(amount, holds_);
    return std::max(now, empty_at_ - time_of(beside));
}

std::optional<monotonic_time> rate_bucket::room_at(std::uint64_t amount, monotonic_time now) {
    if (cap_ == 0) {
        return std::nullopt;
    }
    switch (shape_) {
        case bucket_shape::sliding_log: return log_room_at(amount, now);
        case bucket_shape::fixed_window: return window_room_at(amount, now);
        case bucket_shape::token_bucket:
        case bucket_shape::leaky_bucket: return drained_at(amount, now);
    }
    return std::nullopt;
}

void rate_bucket::charge(std::uint64_t amount, monotonic_time now) {
    switch (shape_) {
        case bucket_shape::sliding_log: log_.charge(amount, now); break;
        case bucket_shape::fixed_window:
            begin_window(now);
            window_used_ += amount;
            break;
        case bucket_shape::token_bucket:
        case bucket_shape::leaky_bucket: empty_at_ = std::max(now, empty_at_) + time_of(amount); break;
    }
}

}  // namespace vembed::service
