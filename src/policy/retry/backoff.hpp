#pragma once
/// Computes how long to wait before trying again.

#include <chrono>
#include <cstdint>
#include <optional>

namespace vembed::policy {

class backoff_options {
public:
    std::chrono::milliseconds delay_ms_first{250};  ///< Before the first retry.
    std::chrono::milliseconds delay_ms_max{20'000};
    std::uint32_t tries_max = 6;  ///< Tries in all, the first included.

    backoff_options() = default;
};

/// The delay before try number `tries_made` + 1 (tries_made >= 1), or nothing if no try is left. The delay doubles from
/// delay_ms_first to delay_ms_max. `random_bits` spreads it evenly over the upper half, so that callers that failed
/// together do not come back together.
std::optional<std::chrono::milliseconds> backoff_delay(const backoff_options& options, std::uint32_t tries_made,
                                                       std::uint64_t random_bits) noexcept;

/// `wait` stretched by less than a tenth of it (by less than 10 ms if that is more), but by less than 2 s. It is never
/// shorter than what was asked for.
std::chrono::milliseconds with_positive_jitter(std::chrono::milliseconds wait, std::uint64_t random_bits) noexcept;

}  // namespace vembed::policy
