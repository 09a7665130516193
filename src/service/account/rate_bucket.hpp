#pragma once
/// The shapes of rate limits that services use.

#include <cstdint>
#include <optional>

#include <vembed/core/time.hpp>
#include <vembed/testing/service.hpp>

#include "service/account/quota_window.hpp"

namespace vembed::service {

/// Allows at most `cap` a minute, in the given shape. An amount larger than the bucket passes if the bucket is empty,
/// and the excess has to drain afterwards. Times must not go backwards.
class rate_bucket {
public:
    rate_bucket(testing::bucket_shape shape, std::uint64_t cap);

    /// When `amount` will fit if nothing else is charged: now if it fits already, nothing if it never will.
    [[nodiscard]] std::optional<monotonic_time> room_at(std::uint64_t amount, monotonic_time now);

    void charge(std::uint64_t amount, monotonic_time now);

    [[nodiscard]] std::uint64_t cap() const noexcept { return cap_; }

private:
    [[nodiscard]] std::optional<monotonic_time> log_room_at(std::uint64_t amount, monotonic_time now);
    [[nodiscard]] monotonic_time window_room_at(std::uint64_t amount, monotonic_time now);
    [[nodiscard]] monotonic_time drained_at(std::uint64_t amount, monotonic_time now) const;
    [[nodiscard]] monotonic_clock::duration time_of(std::uint64_t amount) const noexcept;
    void begin_window(monotonic_time now);

    testing::bucket_shape shape_;
    std::uint64_t cap_;
    std::uint64_t holds_;                     // The capacity of token_bucket and leaky_bucket.
    quota_window log_;                        // Used by sliding_log.
    std::optional<monotonic_time> window_{};  // Used by fixed_window: the begin of the present window.
    std::uint64_t window_used_ = 0;           // Used by fixed_window: the charges in that window.
    monotonic_time empty_at_{};               // Used by token_bucket and leaky_bucket: when all charges have drained.
};

}  // namespace vembed::service
