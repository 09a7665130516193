#include "policy/quota/usage_window.hpp"

#include <algorithm>

namespace vembed::policy {

monotonic_clock::rep usage_window::slot_of(monotonic_time at) const noexcept {
    return at.time_since_epoch() / grain_;
}

// A use before the clock's zero is from before the machine was started.
monotonic_time usage_window::leaves_at(const usage_bucket& used) const noexcept {
    return used.at > no_deadline - length_ ? no_deadline : used.at + length_;
}

void usage_window::add(monotonic_time at, std::uint64_t chunks, std::uint64_t requests) {
    chunks_ += chunks;
    requests_ += requests;
    const monotonic_clock::rep slot = slot_of(at);
    auto place = buckets_.end();
    while (place != buckets_.begin() && slot_of(std::prev(place)->at) > slot) {
        --place;
    }
    if (place != buckets_.begin() && slot_of(std::prev(place)->at) == slot) {
        usage_bucket& same = *std::prev(place);
        same.at = std::max(same.at, at);
        same.chunks += chunks;
        same.requests += requests;
        return;
    }
    usage_bucket made;
    made.at = at;
    made.chunks = chunks;
    made.requests = requests;
    buckets_.insert(place, made);
}

void usage_window::expire(monotonic_time now) {
    auto left = buckets_.begin();
    while (left != buckets_.end() && leaves_at(*left) <= now) {
        chunks_ -= left->chunks;
        requests_ -= left->requests;
        ++left;
    }
    buckets_.erase(buckets_.begin(), left);
}

std::optional<monotonic_time> usage_window::freed_at(std::uint64_t chunks, std::uint64_t requests) const {
    std::uint64_t chunks_freed = 0;
    std::uint64_t requests_freed = 0;
    for (const usage_bucket& oldest : buckets_) {
        chunks_freed += oldest.chunks;
        requests_freed += oldest.requests;
        if (chunks_freed >= chunks && requests_freed >= requests) {
            return leaves_at(oldest);
        }
    }
    return std::nullopt;
}

std::vector<usage_bucket> usage_window::since(const std::vector<usage_bucket>& then) const {
    std::vector<usage_bucket> added;
    auto before = then.begin();
    for (usage_bucket one : buckets_) {
        while (before != then.end() && slot_of(before->at) < slot_of(one.at)) {
            ++before;
        }
        if (before != then.end() && slot_of(before->at) == slot_of(one.at)) {
            one.chunks -= std::min(one.chunks, before->chunks);
            one.requests -= std::min(one.requests, before->requests);
        }
        if (one.chunks > 0 || one.requests > 0) {
            added.push_back(one);
        }
    }
    return added;
}

void usage_window::assign(const std::vector<usage_bucket>& buckets) {
    buckets_.clear();
    chunks_ = 0;
    requests_ = 0;
    for (const usage_bucket& one : buckets) {
        add(one.at, one.chunks, one.requests);
    }
}

}  // namespace vembed::policy
