#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

#include "policy/quota/quota_ledger.hpp"

namespace vembed::policy {

inline constexpr monotonic_time start{std::chrono::hours(1)};

/// The reservation, which the test expects to be made.
inline std::uint64_t admitted(quota_ledger& ledger, monotonic_time now, std::uint64_t chunks) {
    const admission_decision decision = ledger.reserve(now, chunks);
    EXPECT_TRUE(decision.reservation) << "held by " << to_string(decision.bound);
    return decision.reservation.value_or(0);
}

/// The decision, which the test expects to be a wait.
inline admission_decision held(quota_ledger& ledger, monotonic_time now, std::uint64_t chunks = 1) {
    const admission_decision decision = ledger.reserve(now, chunks);
    EXPECT_FALSE(decision.reservation);
    return decision;
}

/// Answered at once: how submissions start slowly is the flight limit's own test.
inline std::uint64_t accepted(quota_ledger& ledger, monotonic_time now, std::uint64_t chunks) {
    const std::uint64_t job = admitted(ledger, now, chunks);
    ledger.settle(job, chunks, now);
    return job;
}

inline error refusal(errc kind, std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    error f(kind, "refused");
    f.retry_after = retry_after;
    return f;
}

}  // namespace vembed::policy
