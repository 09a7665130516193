#pragma once
/// Decides which errors of a repeatable request are worth a repetition.

#include <cstdint>

#include <vembed/core/error.hpp>

namespace vembed::policy {

enum class retry_class : std::uint8_t {
    final,       ///< Repeating cannot help.
    backoff,     ///< Repeat after a growing, jittered delay.
    retry_after  ///< Repeat when the service's Retry-After has passed.
};

/// For requests that change nothing (GET). A broken response counts as a network fault, because the next one may be
/// whole. A lasting fault is final.
retry_class classify_retry(const error& f) noexcept;

/// A 429 whose Retry-After is at least this long is a daily or periodic cap, not a rate (wire contract, "Errors").
inline constexpr std::chrono::seconds quota_retry_after_min{3600};

}  // namespace vembed::policy
