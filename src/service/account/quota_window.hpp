#pragma once
/// Counts what an account used in the last minute or day.

#include <cstdint>
#include <deque>
#include <optional>

#include <vembed/core/time.hpp>

namespace vembed::service {

/// A sliding window: a charge at t counts until just before t + length.
///
/// Charges within one `grain` are kept as one, at the time of the first of them, so that memory is bounded by length /
/// grain and a charge leaves the window at most one grain early, never late. Times must not go backwards.
class quota_window {
public:
    quota_window(std::uint64_t cap, monotonic_clock::duration length, monotonic_clock::duration grain)
        : cap_(cap), length_(length), grain_(grain) {}

    /// Whether another `amount` fits now.
    [[nodiscard]] bool fits(std::uint64_t amount, monotonic_time now);

    /// When `amount` will fit if nothing else is charged; now if it fits already, nothing if it never will.
    [[nodiscard]] std::optional<monotonic_time> room_at(std::uint64_t amount, monotonic_time now);

    /// The amount that counts now.
    [[nodiscard]] std::uint64_t used(monotonic_time now);

    void charge(std::uint64_t amount, monotonic_time now);

    /// Takes charges back, beginning with the newest.
    void refund(std::uint64_t amount);

    [[nodiscard]] std::uint64_t cap() const noexcept { return cap_; }

private:
    struct entry {
        monotonic_time at;
        std::uint64_t amount = 0;
    };
    void expire(monotonic_time now);

    std::uint64_t cap_;
    monotonic_clock::duration length_;
    monotonic_clock::duration grain_;
    std::deque<entry> log_;
    std::uint64_t used_ = 0;
};

}  // namespace vembed::service
