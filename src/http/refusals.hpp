#pragma once
/// Counts the tries of one submission that had no effect and decides whether another one makes sense.

#include <chrono>
#include <cstdint>
#include <optional>

#include "admission/gate.hpp"
#include "http/pipeline.hpp"

namespace vembed::http {

class refusals {
public:
    /// When to send the request again after the refusal `last`; nothing if that is pointless or was tried often enough.
    std::optional<monotonic_time> next_try(const post_result& last, admission::priority who, const pipeline& through,
                                           monotonic_time deadline);

private:
    bool are_enough(monotonic_time now, admission::priority who) noexcept;

    static constexpr std::uint32_t least = 10;
    static constexpr std::chrono::minutes patience{15};
    std::uint32_t count_ = 0;
    monotonic_time first_{};
    std::uint32_t faults_ = 0;  // Network errors before a byte was sent.
};

}  // namespace vembed::http
