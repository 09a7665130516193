#pragma once
/// Computes how many connections the limit of open files allows.

#include <algorithm>
#include <cstdint>

namespace vembed::http {

/// The descriptors that connections leave to other files: the program's own, the journal, the corpus.
inline constexpr std::uint64_t descriptors_reserved = 32;

/// The number of simultaneous connections of a process that may open so many files; at least one.
[[nodiscard]] constexpr std::uint64_t connections_within(std::uint64_t descriptors) noexcept {
    return std::max<std::uint64_t>(descriptors - std::min(descriptors, descriptors_reserved), 1);
}

}  // namespace vembed::http
