#pragma once
/// What was used in the last minute or day: a sliding-window log whose memory does not grow with what is counted.

#include <cstdint>
#include <optional>
#include <vector>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// What was used within one grain of time, counted as if all of it was used at `at`, the last of it.
class usage_bucket {
public:
    monotonic_time at{};
    std::uint64_t chunks = 0;
    std::uint64_t requests = 0;

    usage_bucket() = default;
    friend bool operator==(const usage_bucket&, const usage_bucket&) = default;
};

/// Uses within one `grain` of time are kept as one, at the time of the last of them: memory is bounded by length /
/// grain buckets, and a use stays in the window up to one grain too long, never too short.
class usage_window {
public:
    usage_window(monotonic_clock::duration length, monotonic_clock::duration grain) noexcept
        : length_(length), grain_(grain) {}

    /// Something was used at `at`, which may lie before what was added last.
    void add(monotonic_time at, std::uint64_t chunks, std::uint64_t requests);

    /// Forgets what has left the window by `now`.
    void expire(monotonic_time now);

    /// When that many chunks and requests more than now will have left; nothing where even an empty window is not
    /// enough.
    [[nodiscard]] std::optional<monotonic_time> freed_at(std::uint64_t chunks, std::uint64_t requests) const;

    [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }
    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

    /// Oldest first.
    [[nodiscard]] const std::vector<usage_bucket>& buckets() const noexcept { return buckets_; }

    /// What was added since buckets() told `then`, as far as it is in the window still.
    [[nodiscard]] std::vector<usage_bucket> since(const std::vector<usage_bucket>& then) const;

    /// Starts again from what buckets() told. Their order does not matter.
    void assign(const std::vector<usage_bucket>& buckets);

private:
    [[nodiscard]] monotonic_time leaves_at(const usage_bucket& used) const noexcept;
    [[nodiscard]] monotonic_clock::rep slot_of(monotonic_time at) const noexcept;

    monotonic_clock::duration length_;
    monotonic_clock::duration grain_;
    std::vector<usage_bucket> buckets_;
    std::uint64_t chunks_ = 0;
    std::uint64_t requests_ = 0;
};

}  // namespace vembed::policy
