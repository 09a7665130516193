// The number of repetitions of tests that draw at random.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace vembed::testing {

/// The number in an environment variable, or `otherwise` if it is not set.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// How many of `n` repetitions this build makes, at least one. Sanitizers make a test many times slower and look for
/// memory and thread errors, which few repetitions show as well as many: under them it is one in `fewer`.
constexpr std::uint64_t repetitions(std::uint64_t n, [[maybe_unused]] std::uint64_t fewer = 10) {
#if defined(VEMBED_INSTRUMENTED)
    return (n + fewer - 1) / fewer;
#else
    return n;
#endif
}

}  // namespace vembed::testing
