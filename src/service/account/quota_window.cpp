#include "service/account/quota_window.hpp"

#include <algorithm>

namespace vembed::service {

void quota_window::expire(monotonic_time now) {
    while (!log_.empty() && now - log_.front().at >= length_) {
        used_ -= log_.front().amount;
        log_.pop_front();
    }
}

std::uint64_t quota_window::used(monotonic_time now) {
    expire(now);
    return used_;
}

bool quota_window::fits(std::uint64_t amount, monotonic_time now) {
    expire(now);
    return used_ <= cap_ && amount <= cap_ - used_;
}

std::optional<monotonic_time> quota_window::room_at(std::uint64_t amount, monotonic_time now) {
    if (fits(amount, now)) {
        return now;
    }
    if (amount > cap_) {
        return std::nullopt;
    }
    std::uint64_t left = used_;
    for (const entry& charged : log_) {
        left -= charged.amount;
        if (left <= cap_ - amount) {
            return charged.at + length_;
        }
    }
    return std::nullopt;
}

void quota_window::charge(std::uint64_t amount, monotonic_time now) {
    expire(now);
    if (!log_.empty() && now - log_.back().at < grain_) {
        log_.back().amount += amount;
    } else {
        log_.push_back(entry{now, amount});
    }
    used_ += amount;
}

void quota_window::refund(std::uint64_t amount) {
    for (auto charged = log_.rbegin(); charged != log_.rend() && amount > 0; ++charged) {
        const std::uint64_t part = std::min(amount, charged->amount);
        charged->amount -= part;
        used_ -= part;
        amount -= part;
    }
}

}  // namespace vembed::service
