#pragma once
/// The shapes in which services limit a rate.

#include <cstdint>
#include <optional>

#include <vembed/core/time.hpp>
#include <vembed/testing/service.hpp>

#include "service/account/quota_window.hpp"

namespace vembed::service {

/// At most `cap` a minute, in the given shape. More than the bucket holds at once passes where it is empty, and is then
/// owed. Times must not go backwards.
class rate_bucket {
public:
    rate_bucket(testing::bucket_shape shape, std::uint64_t cap);

    /// When `amount` will fit if nothing else is charged: now where it fits, nothing where it never will.
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
    std::uint64_t holds_;                     // At once, of the two that drain.
    quota_window log_;                        // sliding_log.
    std::optional<monotonic_time> window_{};  // fixed_window: when the present one began…
    std::uint64_t window_used_ = 0;           // …and what was charged in it.
    monotonic_time empty_at_{};               // token_bucket and leaky_bucket: when what was charged has drained.
};

}  // namespace vembed::service
