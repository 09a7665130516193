#pragma once
/// Helpers for waiting until a job ends.

#include <chrono>
#include <optional>
#include <string>

#include <vembed/core/error.hpp>
#include <vembed/core/time.hpp>

namespace vembed::cyberian {

/// How long pages are tolerated. If something in front of the service answered in its place (a 200, 404 or 409 whose
/// body does not begin like a JSON object), the next response may still be the service's own.
class page_patience {
public:
    static constexpr std::chrono::seconds longest{30};

    page_patience() = default;
    /// `at_first` is the patience until the service itself has answered once.
    explicit page_patience(std::chrono::seconds at_first) : patience_(at_first) {}

    /// Whether to ask again after `why`, seen at `now`.
    bool allows(const error& why, monotonic_time now);
    /// Call when the service itself has answered.
    void forget() noexcept {
        since_.reset();
        patience_ = longest;
    }

private:
    std::chrono::seconds patience_ = longest;
    std::optional<monotonic_time> since_;
};

}  // namespace vembed::cyberian
