#pragma once
/// Counts what was used in the last minute or day: a sliding-window log whose memory does not grow with what is
/// counted.

#include <cstdint>
#include <optional>
#include <vector>

#include <vembed/core/time.hpp>

namespace vembed::policy {

/// The use within one grain of time. It counts as if all of it happened at `at`, the time of the last one.
class usage_bucket {
public:
    monotonic_time at{};
    std::uint64_t chunks = 0;
    std::uint64_t requests = 0;

    usage_bucket() = default;
    friend bool operator==(const usage_bucket&, const usage_bucket&) = default;
};

/// Uses within one `grain` of time are kept as one, at the time of the last of them. Memory is bounded by length /
/// grain buckets, and a use stays in the window up to one grain too long, never too short.
class usage_window {
public:
    usage_window(monotonic_clock::duration length, monotonic_clock::duration grain) noexcept
        : length_(length), grain_(grain) {}

    /// Adds a use at `at`, which may be before the use that was added last.
    void add(monotonic_time at, std::uint64_t chunks, std::uint64_t requests);

    /// Removes what has left the window by `now`.
    void expire(monotonic_time now);

    /// When that many chunks and requests will have left the window; nothing if even an empty window is not enough.
    [[nodiscard]] std::optional<monotonic_time> freed_at(std::uint64_t chunks, std::uint64_t requests) const;

    [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }
    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

    /// The buckets, oldest first.
    [[nodiscard]] const std::vector<usage_bucket>& buckets() const noexcept { return buckets_; }

    /// What was added since buckets() returned `then`, as far as it is still in the window.
    [[nodiscard]] std::vector<usage_bucket> since(const std::vector<usage_bucket>& then) const;

    /// Starts again from buckets in any order.
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
